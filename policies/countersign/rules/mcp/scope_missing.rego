# METADATA
# title: The token or API key lacks a scope that the tool asks for
# description: names all scopes that the call needs, the route's too, in one challenge; would be granted once it has them
# custom:
#   public: true
#   remedy: Ask for a token with the scopes that the answer names.
package countersign.rules.mcp.scope_missing

import data.countersign.lib.credential
import data.countersign.lib.is
import data.countersign.lib.mcp
import data.countersign.lib.route

verdict := "clear" if {
	mcp.off
} else := object.union(mcp.not_found, {"scopes": mcp.scopes}) if {
	mcp.hidden
	mcp.aimed
	mcp.known
	mcp.listed
	not mcp.held
} else := "clear" if {
	# held, not listed, or nobody is known: then another rule asks for a token
	mcp.hidden
	mcp.aimed
} else := "clear" if {
	mcp.refused
} else := "clear" if {
	mcp.scopes == []
} else := "clear" if {
	# it is not listed
	mcp.listed == false
} else := _verdict(array.concat(input.route.scopes, is.missing(mcp.scopes, input.route.scopes)), is.missing(mcp.scopes, credential.scopes)) if {
	mcp.read
} else := "clear" if {
	route.protected
	credential.none
} else := {"effect": "step_up", "kind": "authentication", "methods": ["token"]} if {
	# anybody may call the route, and not this tool
	route.public
	credential.none
	count(mcp.scopes) > 0
}

_verdict(_, []) := "clear"

_verdict(wanted, missing) := verdict if {
	count(missing) > 0
	verdict := {"effect": "step_up", "kind": "scope", "grants": true, "scopes": wanted, "missing": missing}
}
