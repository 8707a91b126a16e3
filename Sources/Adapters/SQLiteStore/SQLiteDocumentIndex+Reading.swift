public import Core
import IndexEncoding
import SQLite

/// The revision of document `d` that readers see: of the active space, else the newest.
private let shown = """
  (SELECT key FROM revisions WHERE document = d.key
   ORDER BY space IS (SELECT active_space FROM store) DESC, key DESC LIMIT 1)
  """

extension SQLiteDocumentIndex {
  /// The chunks of these ids in the space that is searched.
  public func chunks(_ ids: [ChunkID]) async throws -> [ChunkID: StoredChunk] {
    try await database.snapshot { connection in
      let sql = """
        SELECT d.id, c.ordinal, c.content, c.pages, c.headings, c.prefix, c.embedded, c.low_value, c.text_hash,
          d.uri, r.version, n.name, r.title
        FROM chunks c JOIN revisions r ON r.key = c.revision JOIN documents d ON d.key = r.document
        JOIN collections n ON n.key = d.collection
        WHERE c.id = ? AND r.space = (SELECT active_space FROM store)
        """
      var found: [ChunkID: StoredChunk] = [:]
      try connection.withStatement(sql) { statement in
        for id in ids where found[id] == nil {
          try statement.bind(id.rawValue)
          if try statement.step() { found[id] = try Self.chunk(id, statement.row) }
        }
      }
      return found
    }
  }

  static func chunk(_ id: ChunkID, _ row: Row) throws -> StoredChunk {
    let document = DocumentID(rawValue: row.text(0))
    let text = row.text(2)
    let uri = SourceURI(rawValue: row.text(9))
    return StoredChunk(
      chunk: Chunk(
        id: id, document: document, ordinal: row.int(1), text: text,
        pages: try Stored.value([PageRange].self, row.text(3), "the pages of a chunk"),
        headingPath: try Stored.value([String].self, row.text(4), "the headings of a chunk"),
        embeddedText: row.optionalText(6) ?? row.text(5) + text, isLowValue: row.bool(7)),
      document: DocumentReference(
        id: document, name: uri.name, uri: uri, version: ContentVersion(rawValue: row.text(10)),
        collection: CollectionName(rawValue: row.text(11)), title: row.optionalText(12)),
      textHash: TextHash(rawValue: row.text(8)))
  }

  // MARK: Pages

  static let pageColumns = """
    p.number, p.label, p.width, p.height, p.content, p.boxes, p.blocks, p.coverage, p.reason, p.recognizer,
    p.recognition_confidence
    """

  static func page(_ row: Row) throws -> Page {
    guard let boxes = row.withBytes(5, PageCoding.boxes), let blocks = row.withBytes(6, PageCoding.blocks) else {
      throw StoreError.damaged("the layout of page \(row.int(0)) cannot be read")
    }
    return Page(
      number: row.int(0), label: row.optionalText(1),
      size: PageSize(width: Float(row.double(2)), height: Float(row.double(3))), text: row.text(4), boxes: boxes,
      blocks: blocks, coverage: try Stored.word(PageCoverage.self, row.text(7), "coverage"),
      coverageReason: row.optionalText(8), recognition: recognition(row, at: 9))
  }

  static func recognition(_ row: Row, at column: Int) -> TextRecognition? {
    row.optionalText(column).map { TextRecognition(recognizer: $0, confidence: Float(row.double(column + 1))) }
  }

  /// One page of the version that is searched.
  public func page(_ number: Int, of id: DocumentID) async throws -> Page? {
    try await pages([number], of: id).first
  }

  /// Several pages of the version that is searched, by number; those that are not there are left out.
  public func pages(_ numbers: [Int], of id: DocumentID) async throws -> [Page] {
    try await database.snapshot { connection in
      let sql = """
        SELECT \(Self.pageColumns) FROM documents d JOIN revisions r ON r.key = \(shown)
        JOIN pages p ON p.text = r.text WHERE d.id = ? AND p.number = ?
        """
      return try Set(numbers).sorted().compactMap { try connection.first(sql, id.rawValue, $0, row: Self.page) }
    }
  }

  /// The state of every page, by number.
  public func coverage(of id: DocumentID) async throws -> [PageState] {
    try await database.read { connection in
      try connection.map(
        """
        SELECT p.number, p.label, p.coverage, p.reason, p.recognizer, p.recognition_confidence
        FROM documents d JOIN revisions r ON r.key = \(shown)
        JOIN pages p ON p.text = r.text WHERE d.id = ? ORDER BY p.number
        """, id.rawValue
      ) {
        PageState(
          page: $0.int(0), label: $0.optionalText(1),
          coverage: try Stored.word(PageCoverage.self, $0.text(2), "coverage"), reason: $0.optionalText(3),
          recognition: Self.recognition($0, at: 4))
      }
    }
  }

  /// How many unreadable pages each of these documents has; those without any are left out.
  public func unreadablePages(of ids: Set<DocumentID>) async throws -> [DocumentID: Int] {
    try await database.snapshot { connection in
      let sql = """
        SELECT t.unreadable FROM documents d JOIN revisions r ON r.key = \(shown) JOIN texts t ON t.key = r.text
        WHERE d.id = ?
        """
      var counts: [DocumentID: Int] = [:]
      for id in ids {
        let count = try connection.first(sql, id.rawValue) { $0.int(0) } ?? 0
        if count > 0 { counts[id] = count }
      }
      return counts
    }
  }

  /// The extraction of equal bytes under the same pipeline version; the newest, if there are several.
  public func extraction(of version: ContentVersion, pipeline: PipelineVersion) async throws -> StoredExtraction? {
    try await database.snapshot { connection in
      let sql = """
        SELECT t.key, t.page_count, t.outline, r.title, r.author, r.created, r.modified, t.damage
        FROM texts t JOIN revisions r ON r.text = t.key WHERE t.version = ? AND t.pipeline = ?
        ORDER BY r.key DESC LIMIT 1
        """
      let found = try connection.first(sql, version.rawValue, pipeline.rawValue) { row in
        let metadata = DocumentMetadata(
          title: row.optionalText(3), author: row.optionalText(4), created: row.optionalDate(5),
          modified: row.optionalDate(6))
        let outline = try Stored.value([OutlineEntry].self, row.text(2), "an outline")
        return (
          text: row.integer(0),
          extraction: StoredExtraction(
            metadata: metadata, pageCount: row.int(1), pages: [], outline: outline, damage: row.optionalText(7))
        )
      }
      guard let found else { return nil }
      var extraction = found.extraction
      extraction.pages = try connection.map(
        "SELECT \(Self.pageColumns) FROM pages p WHERE p.text = ? ORDER BY p.number", found.text, row: Self.page)
      return extraction
    }
  }

  // MARK: Catalogue

  private static let entryQuery = """
    SELECT d.id, n.name, d.uri, d.generation, r.version, r.title, r.author, r.created, r.modified, r.attributes,
      r.state, r.reason, r.page_count, t.coverage, r.chunk_count, r.byte_count, r.pipeline, r.indexed
    FROM documents d JOIN collections n ON n.key = d.collection JOIN revisions r ON r.key = \(shown)
    JOIN texts t ON t.key = r.text
    """

  private static func entry(_ row: Row) throws -> CatalogueEntry {
    CatalogueEntry(
      document: Document(
        id: DocumentID(rawValue: row.text(0)), collection: CollectionName(rawValue: row.text(1)),
        uri: SourceURI(rawValue: row.text(2)), generation: row.int(3),
        version: ContentVersion(rawValue: row.text(4))),
      metadata: DocumentMetadata(
        title: row.optionalText(5), author: row.optionalText(6), created: row.optionalDate(7),
        modified: row.optionalDate(8),
        attributes: try Stored.value([String: String].self, row.text(9), "attributes")),
      state: try Stored.word(DocumentState.self, row.text(10), "state"), reason: row.optionalText(11),
      pageCount: row.int(12), coverage: try Stored.value([PageCoverage: Int].self, row.text(13), "coverage"),
      chunkCount: row.int(14), byteCount: row.int(15), pipeline: PipelineVersion(rawValue: row.text(16)),
      indexed: row.date(17))
  }

  /// One document of the catalogue.
  public func entry(_ id: DocumentID) async throws -> CatalogueEntry? {
    try await database.snapshot { connection in
      try connection.first("\(Self.entryQuery) WHERE d.id = ?", id.rawValue, row: Self.entry)
    }
  }

  /// Documents by id, `limit` (1 to 1,000) a page.
  public func catalogue(
    collections: Set<CollectionName>?, state: DocumentState?, limit: Int, after cursor: String?
  ) async throws -> CataloguePage {
    let limit = min(max(1, limit), 1_000)
    let names = try collections.map { try Stored.json($0.map(\.rawValue)) }
    return try await database.snapshot { connection in
      var entries = try connection.map(
        """
        \(Self.entryQuery) WHERE d.id > ?1 AND (?2 IS NULL OR n.name IN (SELECT value FROM json_each(?2)))
          AND (?3 IS NULL OR r.state = ?3) ORDER BY d.id LIMIT ?4
        """, cursor ?? "", names, state?.rawValue, limit + 1, row: Self.entry)
      guard entries.count > limit else { return CataloguePage(entries: entries, next: nil) }
      entries.removeLast()
      return CataloguePage(entries: entries, next: entries.last?.document.id.rawValue)
    }
  }

  /// The collections that have documents, with how many.
  public func collections() async throws -> [CollectionName: Int] {
    try await database.read { connection in
      let rows = try connection.map(
        "SELECT n.name, count(*) FROM documents d JOIN collections n ON n.key = d.collection GROUP BY n.name"
      ) { (CollectionName(rawValue: $0.text(0)), $0.int(1)) }
      return Dictionary(uniqueKeysWithValues: rows)
    }
  }

  /// Totals over what readers see.
  public func totals(pipeline: CurrentPipeline, identity: EmbeddingIdentity) async throws -> IndexTotals {
    let recognizable = try Stored.json((pipeline.recognition?.coverages ?? []).map(\.rawValue))
    return try await database.snapshot { connection in
      let rows = try connection.map(
        """
        SELECT r.state, count(*), sum(r.page_count), sum(r.chunk_count)
        FROM documents d JOIN revisions r ON r.key = \(shown) GROUP BY r.state
        """
      ) { (state: $0.text(0), documents: $0.int(1), pages: $0.int(2), chunks: $0.int(3)) }
      // The rule of CurrentPipeline.isCurrent.
      let stale = try connection.first(
        """
        SELECT count(*) FROM documents d WHERE NOT EXISTS (
          SELECT 1 FROM revisions r JOIN spaces s ON s.key = r.space JOIN texts t ON t.key = r.text
          WHERE r.document = d.key AND s.canonical = ?1 AND (
            r.pipeline IN (?2, ?3)
            OR (?2 IS NULL AND substr(r.pipeline, 1, length(?4)) = ?4)
            OR (r.pipeline = ?5 AND NOT EXISTS (
              SELECT 1 FROM json_each(t.coverage) c
              WHERE c.value > 0 AND c.key IN (SELECT value FROM json_each(?6))))))
        """, identity.canonical, pipeline.recognized?.rawValue, pipeline.partlyRecognized?.rawValue,
        pipeline.recognizedPrefix, pipeline.base.rawValue, recognizable
      ) { $0.int(0) }
      return IndexTotals(
        documents: rows.reduce(0) { $0 + $1.documents }, pages: rows.reduce(0) { $0 + $1.pages },
        chunks: rows.reduce(0) { $0 + $1.chunks },
        states: Dictionary(uniqueKeysWithValues: rows.map { ($0.state, $0.documents) }), stale: stale ?? 0)
    }
  }
}
