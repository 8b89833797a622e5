module reverseproxy

go 1.26

require (
	github.com/coreos/go-oidc/v3 v3.17.0
	github.com/go-jose/go-jose/v4 v4.1.3
)

require golang.org/x/oauth2 v0.28.0 // indirect
