package runtimeapi

// Replies yields the Reply to each Hand of an instance that holds one
// invocation at a time.
func (s *Server) Replies() <-chan Reply { return s.replies }

// Backlog tells whether a connection waits to be accepted.
var Backlog = backlog
