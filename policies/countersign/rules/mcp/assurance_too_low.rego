# METADATA
# title: The tool needs stronger evidence of who is calling
# custom:
#   public: true
#   remedy: Bring what the step up names, a token, a client certificate or a token that is bound to its sender.
package countersign.rules.mcp.assurance_too_low

import data.countersign.lib.is
import data.countersign.lib.mcp

verdict := "clear" if {
	mcp.off
} else := object.union(mcp.not_found, {"required": mcp.assurance}) if {
	mcp.hidden
	mcp.aimed
	mcp.known
	mcp.listed
	not mcp.strong
} else := "clear" if {
	# another rule asks for a token
	mcp.hidden
	mcp.aimed
	not mcp.known
} else := "clear" if {
	mcp.refused
} else := "clear" if {
	mcp.assurance == 0
} else := "clear" if {
	mcp.listed == false
} else := _verdict(is.below(input.evidence.assurance, mcp.assurance), input.evidence.assurance, mcp.assurance) if {
	mcp.read
}

_verdict(false, _, required) := {"effect": "clear", "required": required}

# the next step is the lowest one that is not reached yet: without a verified token a certificate alone lifts nothing
_verdict(true, level, required) := {
	"effect": "step_up", "required": required,
	"kind": step.kind, "methods": step.methods,
} if {
	next := min({required, max({2, level + 1})})
	step := data.countersign.limits.assurance_steps[format_int(next, 10)]
}
