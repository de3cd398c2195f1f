# METADATA
# title: The authorization server has to be asked about the access token
# description: where the tier says introspected; the service asks and evaluates again, and where it cannot ask this stays a deny
# custom:
#   public: true
#   remedy: Configure introspection for the token's issuer, and see in /status whether it answers.
package countersign.rules.identity.introspection_required

import data.countersign.lib.route

verdict := "clear" if {
	route.public
} else := "clear" if {
	route.outside
} else := _verdict(_state, object.get(data.countersign.limits.tiers[input.route.tier], "introspected", false)) if {
	route.protected
}

# what is refused or missing is for other rules to say
_state := "missing" if {
	input.signals.token.status in {"absent", "invalid"}
} else := "unavailable" if {
	input.signals.token.status == "unavailable"
} else := "asked" if {
	input.signals.token.status == "present"
	is_number(input.signals.token.value.introspected_at)
} else := "unasked" if {
	input.signals.token.status == "present"
	input.signals.token.value.introspected_at == null
}

_verdict(state, false) := "clear" if state in {"missing", "unavailable", "asked", "unasked"}

_verdict(state, true) := "clear" if state in {"missing", "asked"}

_verdict("unavailable", true) := {
	"effect": "deny", "status": 503,
	"retry_after_seconds": data.countersign.limits.signals.retry_after_seconds,
}

_verdict("unasked", true) := {"effect": "deny", "status": 503, "collect": ["introspection"]}
