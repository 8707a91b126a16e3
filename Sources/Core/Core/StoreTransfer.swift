public import FoundationEssentials

/// What an index knows of a place beside the document that is there now.
public struct PlaceHistory: Sendable, Hashable {
  /// The collection.
  public var collection: CollectionName
  /// The place.
  public var uri: SourceURI
  /// How many documents ever began there.
  public var nextGeneration: Int
  /// The document that was deleted there while its file stayed; nil when none was.
  public var tombstone: IndexedSource?
  /// When it was deleted.
  public var deleted: Date?

  /// Creates a place's history.
  public init(
    collection: CollectionName, uri: SourceURI, nextGeneration: Int, tombstone: IndexedSource? = nil,
    deleted: Date? = nil
  ) {
    self.collection = collection
    self.uri = uri
    self.nextGeneration = nextGeneration
    self.tombstone = tombstone
    self.deleted = deleted
  }
}

/// Gives everything that an index holds as it was committed, and takes it from another, so that a library moves between
/// stores without a text being embedded again.
public protocol StoreTransfer: DocumentIndex {
  /// The version of a document that is searched, with its pages, chunks and vectors; nil when it is not there.
  func exported(_ id: DocumentID) async throws -> IndexedDocument?
  /// Every place that documents began at or were deleted at.
  func placeHistories() async throws -> [PlaceHistory]
  /// Takes over what another index knew of a place. What this one knows already stays.
  func restore(_ place: PlaceHistory) async throws
}
