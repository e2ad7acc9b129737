"""A small table service in the manner of DynamoDB and MagnetoDB: the example of a service that Nilometer measures.

Start reading in `app.py`; README.md says what is where.
"""
