# METADATA
# title: The access token could not be verified
# description: its keys, its authorization server or the memory of used proofs are away; where the tier asks for a token signals.required says so
# custom:
#   public: true
#   remedy: Try again later; operators see in /status which issuer or store is away.
package countersign.rules.identity.token_unavailable

import data.countersign.lib.route

verdict := "clear" if {
	input.signals.token.status in {"present", "absent", "invalid"}
} else := "clear" if {
	route.public
} else := "clear" if {
	route.outside
} else := "clear" if {
	input.signals.token.status == "unavailable"
	some name in data.countersign.limits.tiers[input.route.tier].signals
	name in {"token", "credential"}
} else := {
	"effect": "deny", "status": 503, "retry_after_seconds": data.countersign.limits.signals.retry_after_seconds,
	"token": input.signals.token.code,
} if {
	input.signals.token.status == "unavailable"
}
