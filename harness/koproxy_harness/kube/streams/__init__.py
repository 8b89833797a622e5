"""What runs through a pod: its logs, and exec, attach and port-forward."""
