# METADATA
# title: The client may not ask the MCP server for this
# description: a tool, prompt, resource or action that limits.mcp does not list, or lists for other clients
# custom:
#   public: true
#   remedy: Ask for something that is listed for the client, or add it and the client to limits.mcp.
package countersign.rules.mcp.target_denied

import data.countersign.lib.mcp

verdict := "clear" if {
	mcp.off
} else := {"effect": "step_up", "kind": "authentication", "methods": ["token"]} if {
	# the same of everything, so that nobody who has not said who he is learns what there is
	mcp.hidden
	mcp.aimed
	not mcp.known
} else := mcp.not_found if {
	mcp.hidden
	mcp.aimed
	not mcp.admitted
} else := "clear" if {
	mcp.refused
} else := "clear" if {
	mcp.untargeted
} else := "clear" if {
	mcp.read
	mcp.admitted
} else := "clear" if {
	# nobody who has not said who he is learns what there is: another rule asks for a token
	mcp.read
	is_boolean(mcp.listed)
	not mcp.known
} else := "deny" if {
	mcp.read
	is_boolean(mcp.listed)
}
