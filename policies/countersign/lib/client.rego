# METADATA
# description: whether the registry knows the caller
package countersign.lib.client

# nothing is declared of the caller, so nothing can contradict it
unregistered if is_null(input.subject.client)

unregistered if input.subject.client.registered == false
