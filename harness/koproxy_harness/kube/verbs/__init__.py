"""What can be done with objects: the verbs of requests about them."""
