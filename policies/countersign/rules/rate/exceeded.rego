# METADATA
# title: Too many requests
# description: a window slides, so the time until it has room again is estimated from its own rate
# custom:
#   public: true
package countersign.rules.rate.exceeded

verdict := "clear" if {
	input.signals.rate.status in {"absent", "invalid", "unavailable"}
} else := _verdict([item |
	some entity, windows in limits
	some window, limit in windows
	count_now := value[entity][window]
	count_now > limit
	item := _item(entity, window, limit, count_now)
]) if {
	limits := data.countersign.limits.rate
	is_object(limits)
	every windows in limits {
		every limit in windows { is_number(limit) }
	}
	value := input.signals.rate.value
	_typed(value.client)
	_typed(value.address)
	_typed(value.token)
	_typed(value.route)
}

_seconds := {"10s": 10, "1m": 60, "10m": 600, "1h": 3600}

_verdict([]) := "clear"

_verdict(limits) := {"effect": "deny", "status": 429, "limits": limits} if count(limits) > 0

# a number for every window, or nothing known
_typed(null)

_typed(counts) if {
	is_number(counts["10s"])
	is_number(counts["1m"])
	is_number(counts["10m"])
	is_number(counts["1h"])
}

_item(entity, window, limit, count_now) := {
	"name": concat("-", [entity, window]), "limit": limit, "window_seconds": _seconds[window],
	"remaining": 0, "reset_seconds": max([1, ceil((_seconds[window] * (count_now - limit)) / count_now)]),
}
