"""What customer service does, each act as data: who may, what its form asks, what is sent to registration.

model   an act, and a draft of one: what waits on the page that asks whether to do it
forms   the forms
table   the acts
views   form, draft, and what became of it
"""
