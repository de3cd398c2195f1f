# METADATA
# title: Too many requests
# description: the named limits, of entities, of counters and of the gateway's own measurement; those in shadow are told and never enforced
# custom:
#   public: true
#   remedy: Wait for as long as Retry-After says, or raise the limit of that name in limits.rate_limits.
package countersign.rules.rate.limited

import data.countersign.lib.status

verdict := "clear" if {
	_none
} else := "clear" if {
	status.lacking(input.signals.rate.status)
} else := _verdict(enforced, shadow) if {
	is_object(input.signals.rate.value.counters)
	every sums in input.signals.rate.value.counters { _typed(sums) }
	_measured(input.signals.rate.value.pep)
	is_object(input.signals.rate.value.resets)
	_entities
	exceeded := [one | some name, one in _judged; one.count > one.limit]
	enforced := [_item(one) | some one in exceeded; one.shadow == false]
	shadow := [one.name | some one in exceeded; one.shadow == true]
}

_limits := data.countersign.limits.rate_limits

_none if _limits == {}

_none if {
	is_object(data.countersign.limits)
	not _limits
}

_seconds := {"10s": 10, "1m": 60, "10m": 600, "1h": 3600, "1d": 86400}

_verdict([], []) := {"effect": "clear", "limits": _rest} if {
	count(_rest) > 0
} else := "clear" if {
	count(_rest) == 0
}

_verdict([], shadow) := {"effect": "clear", "limits": _rest, "shadow_limits": shadow} if count(shadow) > 0

_verdict(enforced, shadow) := {"effect": "deny", "status": 429, "limits": enforced, "shadow_limits": shadow} if count(enforced) > 0

# what is left, for the fields of an answer that passes
_rest := [_left(one) | some one in _judged; one.shadow == false] if {
	data.countersign.limits.rate_fields == "always"
} else := [] if {
	not data.countersign.limits.rate_fields == "always"
}

_typed(null)

_typed(sums) if {
	every window in ["10s", "1m", "10m", "1h", "1d"] { is_number(sums[window]) }
}

_measured(null)

_measured(pep) if {
	is_number(pep.count)
	is_number(pep.window_seconds)
}

# literal references, so that `opa deps` sees what is read
_entities := {
	"client": input.signals.rate.value.client,
	"address": input.signals.rate.value.address,
	"token": input.signals.rate.value.token,
	"route": input.signals.rate.value.route,
	"api_key": input.signals.rate.value.api_key,
	"pep": input.signals.rate.value.pep,
}

# the limits that this request is held to; one whose entity or counter is not known has none
_judged[name] := {
	"name": name, "count": _count(set), "limit": set.limit, "window": set.window,
	"shadow": object.get(set, "shadow", false),
} if {
	some name, set in _limits
	_count(set) >= 0
}

_count(set) := input.signals.rate.value.counters[set.of][set.window]

_count(set) := _entities[set.of][set.window] if set.of != "pep"

# the gateway's rate, brought to the limit's window
_count(set) := (input.signals.rate.value.pep.count * _seconds[set.window]) / input.signals.rate.value.pep.window_seconds if {
	set.of == "pep"
	input.signals.rate.value.pep.window_seconds > 0
}

_item(one) := {
	"name": one.name, "limit": one.limit, "window_seconds": _seconds[one.window],
	"remaining": 0, "reset_seconds": object.get(input.signals.rate.value.resets, one.name, estimate),
} if {
	# of what the gateway counts we have no sub-buckets
	estimate := max([1, ceil((_seconds[one.window] * (one.count - one.limit)) / one.count)])
}

_left(one) := {
	"name": one.name, "limit": one.limit, "window_seconds": _seconds[one.window],
	"remaining": max([0, one.limit - one.count]), "reset_seconds": null,
}
