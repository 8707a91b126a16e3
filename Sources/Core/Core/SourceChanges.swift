/// What a source noticed of itself since it was last asked.
public struct SourceChanges: Sendable, Hashable {
  /// Objects that came, changed or were renamed, and are complete as far as can be told.
  public var present: [SourceObject]
  /// What is gone: objects and folders, so that everything at or below these URIs is meant. A renamed object is here
  /// under its old URI, in the same set of changes that has it in `present`.
  public var gone: [SourceURI]
  /// Identifies the root at the time of the look, as in ``SourceListing/rootStamp``; nil when the root is missing.
  public var rootStamp: String?
  /// Whether more changed than could be told, so that the source must be listed.
  public var needsListing: Bool
  /// Why some changes are never noticed, told once.
  public var shortfall: NoticeShortfall?

  /// Creates changes; by default none.
  public init(
    present: [SourceObject] = [], gone: [SourceURI] = [], rootStamp: String? = nil, needsListing: Bool = false,
    shortfall: NoticeShortfall? = nil
  ) {
    self.present = present
    self.gone = gone
    self.rootStamp = rootStamp
    self.needsListing = needsListing
    self.shortfall = shortfall
  }
}

/// Why a source does not notice all of its changes: it has to be listed more often.
public struct NoticeShortfall: Sendable, Hashable {
  /// A stable dotted code.
  public var code: String
  /// What happened; one sentence.
  public var message: String
  /// What to do about it.
  public var remedy: String

  /// Creates a description.
  public init(code: String, message: String, remedy: String) {
    self.code = code
    self.message = message
    self.remedy = remedy
  }
}

/// Notices the changes of one source while it is held. Notices are hints that make ingestion prompt, never its only
/// base: they can be lost, and so a source that is watched is listed now and then as well.
public protocol SourceWatch: Sendable {
  /// All changes since the last call that are ready, together; nil when there are none.
  func take() async -> SourceChanges?
  /// Told how the work on the changes taken last ended, after each call of ``take()`` that gave some. A watch that can
  /// forget what it noticed only now keeps it until then. The default does nothing.
  func settle(_ end: ChangesEnd) async
  /// Ends the watch and frees what it holds.
  func stop() async
}

/// How the work on changes ended.
public enum ChangesEnd: Sendable, Hashable {
  /// Every object is committed or deleted, or the job table has its failure; but for those that another process has
  /// in work.
  case recorded(inWork: Set<SourceURI>)
  /// The store failed or the work was cancelled: nothing is known of the objects.
  case failed
}

extension SourceWatch {
  /// Nothing: what was taken is forgotten already.
  public func settle(_ end: ChangesEnd) async {}
}

extension DocumentSource {
  /// False: nothing is known of what stamps say at another URI.
  public var stampsFollowRenames: Bool { false }

  /// Nil: the source cannot notice changes and has to be listed.
  public func watch(notify: @escaping @Sendable () -> Void) async -> (any SourceWatch)? { nil }

  /// Looks for the object in a whole listing.
  public func object(at uri: SourceURI) async throws -> SourceObject? {
    try await list().objects.first { $0.uri == uri }
  }
}
