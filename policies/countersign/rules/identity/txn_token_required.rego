# METADATA
# title: The route needs a transaction token
# description: where the tier says txn_token; one that was refused is another rule's
# custom:
#   public: true
#   remedy: Send a transaction token in the header Txn-Token.
package countersign.rules.identity.txn_token_required

import data.countersign.lib.route

verdict := "clear" if {
	route.public
} else := "clear" if {
	route.outside
} else := _verdict(
	input.signals.txn_token.status,
	object.get(data.countersign.limits.tiers[input.route.tier], "txn_token", false),
) if {
	route.protected
}

_verdict(status, false) := "clear" if status in {"present", "absent", "invalid", "unavailable"}

_verdict(status, true) := "clear" if status in {"present", "invalid"}

_verdict("absent", true) := {"effect": "deny", "status": 401}

_verdict("unavailable", true) := {
	"effect": "deny", "status": 503,
	"retry_after_seconds": data.countersign.limits.signals.retry_after_seconds,
}
