# METADATA
# title: The MCP server offers this to the caller
# description: the method is listed, and so is what it is about, for this client and with its scopes; who asks has to be known on a route that is not public
# custom:
#   public: true
package countersign.rules.mcp.granted

import data.countersign.lib.mcp

verdict := "clear" if {
	mcp.off
} else := "clear" if {
	mcp.refused
} else := "allow" if {
	mcp.read
	mcp.offered
	mcp.known
	_aimed
	mcp.held
} else := "clear" if {
	mcp.read
}

_aimed if mcp.untargeted

_aimed if mcp.admitted
