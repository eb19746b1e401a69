"""The pages of registration: templates and their values in, complete responses out; and the forms on them."""
