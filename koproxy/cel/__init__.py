"""CEL as Kubernetes has it in an AuthenticationConfiguration: checked once, evaluated once a token.

Google's library reads and checks expressions, which an administrator writes; what evaluates them is
here, since claims are an attacker's to choose and that library's evaluator is not made for them.
Pure: nothing in here opens a socket, knows a reactor or reads a clock.
https://kubernetes.io/docs/reference/using-api/cel/
"""
