"""Who may do what for a company. All of it within a transaction of its caller; nothing here knows a web page.

founding   the first one registered is the administrator, later ones read consumption
lookup     who has which rights, and the lock under which they change
changes    what administrators, and users who may manage users, change
ending     a right ends, and what becomes of those that its holder has given
sharing    a user lets another one see the company's data; on top of a right from elsewhere, beside it
customer_service   what customer service changes by command
"""
