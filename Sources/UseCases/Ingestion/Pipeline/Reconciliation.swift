import Core

/// Compares what a source has with what the index knows of it.
struct Reconciliation {
  /// An object with what is known of it.
  struct Item: Sendable {
    var object: SourceObject
    /// The document there, tombstones included.
    var known: IndexedSource?
  }

  /// Objects whose bytes must be looked at.
  var changed: [Item] = []
  /// Objects whose stamp is the one indexed.
  var unchanged: [Item] = []
  /// Objects whose bytes must be looked at when they are complete.
  var unsettled: [Item] = []
  /// Objects whose document was deleted on purpose.
  var tombstoned: [Item] = []
  /// Documents whose object is gone.
  var missing: [IndexedSource] = []
  /// Documents known under the root, tombstones not counted.
  var knownCount = 0

  /// - Parameters:
  ///   - root: The source's root: an object with this very URI was named by the user, which lifts a tombstone.
  ///   - known: What the index has under the root.
  init(listing: SourceListing, root: SourceURI, known: [IndexedSource]) {
    var byURI: [SourceURI: IndexedSource] = [:]
    for source in known { byURI[source.document.uri] = source }
    var present: Set<SourceURI> = []
    for object in listing.objects {
      present.insert(object.uri)
      let item = Item(object: object, known: byURI[object.uri])
      if let source = item.known, source.isTombstone {
        if object.uri == root { changed.append(item) } else { tombstoned.append(item) }
      } else if item.known?.stamp == object.stamp {
        unchanged.append(item)
      } else if listing.unsettled.contains(object.uri) {
        unsettled.append(item)
      } else {
        changed.append(item)
      }
    }
    let live = known.filter { !$0.isTombstone }
    knownCount = live.count
    missing = live.filter { !present.contains($0.document.uri) }
  }
}
