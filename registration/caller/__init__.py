"""Who is on the phone: the caller identifies at their bank, and one member of staff sees who it was.

checks   a check from its code to the moment its name is shown: rows and rules, no web
pages    what the caller sees

A fraudster who has customer service on the phone could get a victim to identify. So the caller's page names who asks
and says never to do it for somebody who called; after the identification it shows four digits, and the name is shown
for those digits only, which the caller has to read aloud.
"""
