import CKernels
public import Core
import FoundationEssentials
import SQLite

extension SQLiteDocumentIndex: StoreTransfer {
  /// The version that is searched, from one snapshot; vectors as they are stored, in binary16.
  public func exported(_ id: DocumentID) async throws -> IndexedDocument? {
    guard let entry = try await entry(id) else { return nil }
    return try await database.snapshot { connection in
      let head = try connection.first(
        """
        SELECT r.key, r.text, d.stamp, s.identity, t.outline, t.damage, r.version, r.pipeline
        FROM documents d JOIN revisions r ON r.document = d.key AND r.space = (SELECT active_space FROM store)
        JOIN spaces s ON s.key = r.space JOIN texts t ON t.key = r.text WHERE d.id = ?
        """, id.rawValue
      ) { row in
        (
          revision: row.integer(0), text: row.integer(1), stamp: row.text(2),
          identity: try Stored.value(EmbeddingIdentity.self, row.text(3), "an identity"),
          outline: try Stored.value([OutlineEntry].self, row.text(4), "an outline"), damage: row.optionalText(5),
          version: row.text(6), pipeline: row.text(7)
        )
      }
      // Replaced between the two looks: the caller's next look finds the new version.
      guard let head, head.version == entry.document.version.rawValue, head.pipeline == entry.pipeline.rawValue
      else { return nil }
      let pages = try connection.map(
        "SELECT \(Self.pageColumns) FROM pages p WHERE p.text = ? ORDER BY p.number", head.text, row: Self.page)
      let chunks = try connection.map(
        """
        SELECT d.id, c.ordinal, c.content, c.pages, c.headings, c.prefix, c.embedded, c.low_value, c.text_hash,
          d.uri, r.version, n.name, r.title, c.id, v.norm, v.vector
        FROM chunks c JOIN revisions r ON r.key = c.revision JOIN documents d ON d.key = r.document
        JOIN collections n ON n.key = d.collection JOIN vectors v ON v.chunk = c.key
        WHERE c.revision = ? ORDER BY c.ordinal
        """, head.revision
      ) { row in
        let stored = try Self.chunk(ChunkID(rawValue: row.text(13)), row)
        return EmbeddedChunk(
          chunk: stored.chunk, textHash: stored.textHash,
          embedding: Embedding(unit: row.withBytes(15, Self.singles), norm: Float(row.double(14))), isReused: true)
      }
      guard chunks.count == entry.chunkCount, pages.count == entry.coverage.values.reduce(0, +) else {
        throw StoreError.damaged("document \(id) lacks pages, chunks or vectors")
      }
      return IndexedDocument(
        document: entry.document, metadata: entry.metadata, sourceStamp: head.stamp, byteCount: entry.byteCount,
        pageCount: entry.pageCount, pages: pages, outline: head.outline, damage: head.damage, chunks: chunks,
        identity: head.identity, pipeline: entry.pipeline, state: entry.state, reason: entry.reason,
        indexed: entry.indexed)
    }
  }

  private static func singles(_ halves: UnsafeRawBufferPointer) -> [Float] {
    let count = halves.count / 2
    let values = [UInt16](unsafeUninitializedCapacity: count) { buffer, filled in
      UnsafeMutableRawBufferPointer(buffer).copyMemory(from: UnsafeRawBufferPointer(rebasing: halves[..<(count * 2)]))
      filled = count
    }
    return [Float](unsafeUninitializedCapacity: count) { buffer, filled in
      if let base = buffer.baseAddress { qk_f32_from_f16(values, base, count, QK_PATH_AUTO) }
      filled = count
    }
  }

  /// Every place that documents began at or were deleted at.
  public func placeHistories() async throws -> [PlaceHistory] {
    try await database.snapshot { connection in
      var places: [String: PlaceHistory] = [:]
      try connection.forEach("SELECT collection, uri, next_generation FROM origins") { row in
        places[row.text(0) + "\u{0}" + row.text(1)] = PlaceHistory(
          collection: CollectionName(rawValue: row.text(0)), uri: SourceURI(rawValue: row.text(1)),
          nextGeneration: row.int(2))
      }
      try connection.forEach(
        "SELECT collection, uri, document, generation, version, stamp, pipeline, identity, deleted FROM tombstones"
      ) { row in
        let (collection, uri) = (CollectionName(rawValue: row.text(0)), SourceURI(rawValue: row.text(1)))
        let key = row.text(0) + "\u{0}" + row.text(1)
        var place = places[key] ?? PlaceHistory(collection: collection, uri: uri, nextGeneration: 0)
        place.tombstone = IndexedSource(
          document: Document(
            id: DocumentID(rawValue: row.text(2)), collection: collection, uri: uri, generation: row.int(3),
            version: ContentVersion(rawValue: row.text(4))),
          stamp: row.text(5), pipeline: PipelineVersion(rawValue: row.text(6)),
          identity: try Stored.value(EmbeddingIdentity.self, row.text(7), "an identity"), isTombstone: true)
        place.deleted = row.date(8)
        places[key] = place
      }
      return places.values.sorted { ($0.collection, $0.uri) < ($1.collection, $1.uri) }
    }
  }

  /// Takes over what another index knew of a place.
  public func restore(_ place: PlaceHistory) async throws {
    let identity = try place.tombstone.map { try Stored.json($0.identity) }
    try await database.write { connection in
      try connection.run(
        """
        INSERT INTO origins VALUES (?, ?, ?) ON CONFLICT (collection, uri)
        DO UPDATE SET next_generation = max(next_generation, excluded.next_generation)
        """, place.collection.rawValue, place.uri.rawValue, place.nextGeneration)
      guard let stone = place.tombstone, let identity else { return }
      let isTaken = try connection.first(
        "SELECT 1 FROM documents d JOIN collections c ON c.key = d.collection WHERE c.name = ? AND d.uri = ?",
        place.collection.rawValue, place.uri.rawValue, row: { _ in true })
      if isTaken == true { return }
      try connection.run(
        "INSERT OR IGNORE INTO tombstones VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", place.collection.rawValue,
        place.uri.rawValue, stone.document.id.rawValue, stone.document.generation, stone.document.version.rawValue,
        stone.stamp, stone.pipeline.rawValue, identity, (place.deleted ?? Date()).seconds)
    }
  }
}
