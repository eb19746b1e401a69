"""Every page that a person sees, in every state, in one place: looked at by people and by machines.

    states     one list of what there is: states.STATES
    server     serves it: /<service>/<state>?ui_locales=sv, with the real headers and static files
    pictures   `make pictures`: a picture of each, and a page of all pictures
    checks     what a browser is asked about each: axe-core, layout, targets, focus

The pages are drawn by the services' own code, most of them by the whole application. Only what stands behind it is
made up: settings, people, companies, and what another service would have answered.
"""
