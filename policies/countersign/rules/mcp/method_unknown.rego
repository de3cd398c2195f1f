# METADATA
# title: The MCP server does not offer this method here
# description: what limits.mcp does not list is denied, so that a method of a later revision or of an extension opens nothing
# custom:
#   public: true
#   remedy: Call a method of the list, or add the method to limits.mcp.
package countersign.rules.mcp.method_unknown

import data.countersign.lib.mcp

verdict := "clear" if {
	mcp.off
} else := "clear" if {
	mcp.refused
} else := "clear" if {
	mcp.read
	mcp.offered
} else := "clear" if {
	# the same of every target, whatever it is asked for by
	mcp.withheld
} else := {"effect": "deny", "status": 404, "rpc_code": -32601} if {
	mcp.read
	is_array(mcp.methods)
	is_string(input.mcp.method)
}
