"""The example of a file for ``vserver import``, with a comment on each part."""

EXAMPLE = """\
# What `vserver import` reads. Change it, try it with --dry-run, then import it.
# A second import changes nothing; what exists is found by its name and completed.

organizations:
  - name: Hospital A              # required; taken only once
    country: Netherlands          # also: domain, address1, address2, zipcode
    # public_key: base64 of a PEM text; the node sets it, if you leave it out
    users:
      - username: anna            # required; taken only once
        password: Change-this-1   # required; tell anna to change it at her first login
        firstname: Anna
        lastname: de Vries
        email: anna@a.example     # for a lost password
        roles: [Researcher]       # default roles, or roles of the organization; see below
      - username: admin-a
        password: Change-this-2
        email: admin@a.example
        roles: [Organization Admin]
  - name: Hospital B
    users: []

# Without `roles` a user gets the role `super`: every rule there is.
# Default roles: Viewer, Researcher, Organization Admin, Collaboration Admin, Root.

collaborations:
  - name: A and B                 # required; taken only once
    encrypted: true               # default: true
    participants:                 # the organizations, of which each gets a node
      - name: Hospital A          # without api_key one is made, and printed once
      - name: Hospital B
        # api_key: 123e4567-e89b-12d3-a456-426614174000   # a UUID of your own
    # tasks: [registry.example/average:1.0]               # an example task for each image
"""
