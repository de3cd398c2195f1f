# METADATA
# title: Too many requests
# description: the limits of entities; a window slides, so the service tells from its sub-buckets when there is room again
# custom:
#   public: true
#   remedy: Wait for as long as Retry-After says, or raise the limit in limits.rate.
package countersign.rules.rate.exceeded

import data.countersign.lib.status

verdict := "clear" if {
	status.lacking(input.signals.rate.status)
} else := _verdict(exceeded, counts) if {
	limits := data.countersign.limits.rate
	is_object(limits)
	every windows in limits {
		every limit in windows { is_number(limit) }
	}

	# literal references, so that `opa deps` sees what is read
	counts := {
		"client": input.signals.rate.value.client,
		"address": input.signals.rate.value.address,
		"token": input.signals.rate.value.token,
		"route": input.signals.rate.value.route,
		"api_key": input.signals.rate.value.api_key,
	}
	_typed(counts.client)
	_typed(counts.address)
	_typed(counts.token)
	_typed(counts.route)
	_typed(counts.api_key)
	is_object(input.signals.rate.value.resets)
	exceeded := [item |
		some entity, windows in limits
		some window, limit in windows
		counts[entity][window] > limit
		item := _item(entity, window, limit, counts[entity][window])
	]
}

_seconds := {"10s": 10, "1m": 60, "10m": 600, "1h": 3600}

_verdict([], counts) := {"effect": "clear", "limits": _rest(counts)} if {
	data.countersign.limits.rate_fields == "always"
} else := "clear" if {
	not data.countersign.limits.rate_fields == "always"
}

_verdict(limits, _) := {"effect": "deny", "status": 429, "limits": limits} if count(limits) > 0

# what is left, for the fields of an answer that passes
_rest(counts) := [item |
	some entity, windows in data.countersign.limits.rate
	some window, limit in windows
	count_now := counts[entity][window]
	item := {
		"name": concat("-", [entity, window]), "limit": limit, "window_seconds": _seconds[window],
		"remaining": max([0, limit - count_now]), "reset_seconds": null,
	}
]

# a number for every window, or nothing known
_typed(null)

_typed(counts) if {
	is_number(counts["10s"])
	is_number(counts["1m"])
	is_number(counts["10m"])
	is_number(counts["1h"])
}

_item(entity, window, limit, count_now) := {
	"name": name, "limit": limit, "window_seconds": _seconds[window],
	"remaining": 0, "reset_seconds": object.get(input.signals.rate.value.resets, name, estimate),
} if {
	name := concat("-", [entity, window])

	# where the service was not told of this limit
	estimate := max([1, ceil((_seconds[window] * (count_now - limit)) / count_now)])
}
