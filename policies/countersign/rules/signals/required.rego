# METADATA
# title: A signal that this route requires is missing
# description: unavailable is ours to mend and is retried, invalid was refused, absent is the caller's to bring where a method supplies it
# custom:
#   public: true
#   remedy: Bring the signal that is named; where it is unavailable try again later.
package countersign.rules.signals.required

import data.countersign.lib.route

verdict := "clear" if {
	route.outside
} else := {
	"effect": "deny", "status": 503, "retry_after_seconds": data.countersign.limits.signals.retry_after_seconds,
	"signals": _with("unavailable"),
} if {
	count(_with("unavailable")) > 0
} else := {"effect": "deny", "status": 401, "signals": _with("invalid")} if {
	some name in _with("invalid")
	name in _credentials
} else := {"effect": "deny", "status": 403, "signals": _with("invalid")} if {
	count(_with("invalid")) > 0
} else := {"effect": "deny", "status": 403, "signals": _without_method} if {
	count(_without_method) > 0
} else := {"effect": "step_up", "kind": "binding", "methods": ["mtls"], "signals": _with("absent")} if {
	_with("absent") == ["certificate"]
} else := {"effect": "step_up", "kind": "authentication", "methods": ["token"], "signals": _with("absent")} if {
	count(_with("absent")) > 0
} else := "clear" if {
	count(_with("present")) == count(_required)
}

_credentials := {"token", "api_key", "credential", "certificate"}

_without_method := [name | some name in _with("absent"); not name in _credentials]

# a public route needs no credential, whatever its tier says
_required := data.countersign.limits.tiers[input.route.tier].signals if route.protected

_required := [name | some name in signals; not name in _credentials] if {
	route.public
	signals := data.countersign.limits.tiers[input.route.tier].signals
}

_with(status) := [name | some name in required; states[name] == status] if {
	required := _required
	states := _status
}

# literal references, so that `opa deps` sees that only the status is read
_status := {
	"token": input.signals.token.status,
	"api_key": input.signals.api_key.status,
	"credential": _credential,
	"certificate": input.signals.certificate.status,
	"network": input.signals.network.status,
	"rate": _rate,
}

# a token or an API key: the token's state where there is one
_credential := input.signals.token.status if {
	input.signals.token.status != "absent"
} else := input.signals.api_key.status if {
	input.signals.token.status == "absent"
}

# counts of which a part is missing do not meet a requirement
_rate := "unavailable" if {
	input.signals.rate.status == "present"
	input.signals.rate.value.degraded == true
} else := input.signals.rate.status if {
	input.signals.rate.status
}
