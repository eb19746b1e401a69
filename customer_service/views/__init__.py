"""The pages that staff read: search, a company, a person, cases, acts that wait, and the trail."""
