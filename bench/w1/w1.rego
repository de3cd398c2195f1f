# METADATA
# description: |
#   W1 for OPA itself: the rules of Countersign's W1 pack in the form that is fastest for OPA 1.22 of those tried; routes are found by method and segment.
#   `blocked` is one of networks/keys.rego and networks/cidrs.rego.
#   The data is data.bench.*, made by bench/policy-directory.ts; nothing of it is in this package, so /v1/data/w1/decision gives one word.
package w1

default decision := "deny"

decision := "allow" if {
	not blocked
	count(missing) == 0
} else := "step_up" if {
	not blocked
	count(missing) > 0
}

# undefined, and so a deny, where the token is not valid or no route matches
missing := [scope | some scope in route.scopes; not scope in held] if {
	held := split(claims.scope, " ")
}

route := data.bench.routes[input.request.method][split(trim_prefix(input.request.path, "/"), "/")[0]]

claims := payload if {
	token := trim_prefix(input.request.headers.authorization, "Bearer ")
	[valid, _, payload] := io.jwt.decode_verify(token, {"cert": data.bench.jwks, "iss": data.bench.issuer, "aud": data.bench.audience})
	valid
}
