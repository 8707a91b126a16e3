/// What became of a wish to have sources listed.
package struct SyncBody: Encodable, Sendable {
  /// Sources that are listed now; the request does not wait for them.
  package var sources: Int

  package init(sources: Int) { self.sources = sources }
}
