import CSQLite
import Synchronization

/// The rows of an FTS5 table that a phrase is in, ascending, and how often it is in each.
public struct Postings: Sendable {
  /// Rowids.
  public var rows: [Int64] = []
  /// Occurrences over all columns, one number for each row.
  public var frequencies: [UInt32] = []
  /// Whether these are all; a limit may have cut them.
  public var isComplete = true
}

/// An FTS5 table as its own ranking functions see it, phrase by phrase: for rankings that FTS5 cannot be told in SQL.
/// Valid only in the call that lends it.
public struct FullTextReader {
  fileprivate let api: Fts5ExtensionApi
  fileprivate let context: OpaquePointer
  fileprivate let interrupt: InterruptHandle

  /// The rows of the table.
  public func rowCount() throws(SQLiteError) -> Int64 {
    var count: Int64 = 0
    try Self.check(api.xRowCount(context, &count))
    return count
  }

  /// The tokens of all rows and columns.
  public func tokenCount() throws(SQLiteError) -> Int64 {
    var count: Int64 = 0
    try Self.check(api.xColumnTotalSize(context, -1, &count))
    return count
  }

  /// The phrases of the query, numbered from 0 as they stand in it.
  public var phraseCount: Int { Int(api.xPhraseCount(context)) }

  /// The rows that a phrase is in: at most `limit` of them, the first.
  public func postings(of phrase: Int, limit: Int = .max) throws(SQLiteError) -> Postings {
    let collector = PostingsCollector(limit: limit, interrupt: interrupt)
    let code = api.xQueryPhrase(
      context, Int32(phrase), Unmanaged.passUnretained(collector).toOpaque(), PostingsCollector.collect)
    withExtendedLifetime(collector) {}
    try Self.check(code)
    return collector.postings
  }

  /// The tokens that the table's tokenizer makes of `text`.
  public func tokens(of text: String) throws(SQLiteError) -> [[UInt8]] {
    let collector = TokenCollector()
    try tokenize(text, collector)
    return collector.tokens
  }

  /// How often each of `phrases`, given by their tokens, is in `text`.
  public func occurrences(of phrases: [[[UInt8]]], in text: String) throws(SQLiteError) -> [UInt32] {
    let collector = TokenCollector(counting: phrases)
    try tokenize(text, collector)
    return collector.counts
  }

  private func tokenize(_ text: String, _ collector: TokenCollector) throws(SQLiteError) {
    var text = text
    let code = text.withUTF8 { text -> Int32 in
      guard let start = text.baseAddress, !text.isEmpty else { return SQLITE_OK }
      guard text.count <= Int(Int32.max) else { return SQLITE_TOOBIG }
      return api.xTokenize(
        context, UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self), Int32(text.count),
        Unmanaged.passUnretained(collector).toOpaque(), TokenCollector.collect)
    }
    withExtendedLifetime(collector) {}
    try Self.check(code)
  }

  private static func check(_ code: Int32) throws(SQLiteError) {
    if code != SQLITE_OK { throw SQLiteError(code: code, database: nil) }
  }
}

/// Takes the tokens of a text, or counts phrases among them.
private final class TokenCollector {
  var tokens: [[UInt8]] = []
  var counts: [UInt32]
  private let phrases: [[[UInt8]]]?
  /// How many tokens of each phrase were just there.
  private var progress: [Int]

  init(counting phrases: [[[UInt8]]]? = nil) {
    self.phrases = phrases
    counts = [UInt32](repeating: 0, count: phrases?.count ?? 0)
    progress = [Int](repeating: 0, count: phrases?.count ?? 0)
  }

  private func take(_ token: UnsafeRawBufferPointer) {
    guard let phrases else {
      tokens.append([UInt8](token))
      return
    }
    for (index, phrase) in phrases.enumerated() where !phrase.isEmpty {
      if !token.elementsEqual(phrase[progress[index]]) { progress[index] = 0 }
      guard token.elementsEqual(phrase[progress[index]]) else { continue }
      progress[index] += 1
      if progress[index] == phrase.count {
        counts[index] += 1
        progress[index] = 0
      }
    }
  }

  /// Called by the tokenizer for each token.
  static let collect:
    @convention(c) (UnsafeMutableRawPointer?, Int32, UnsafePointer<CChar>?, Int32, Int32, Int32) -> Int32 =
      { data, _, token, count, _, _ in
        guard let data else { return SQLITE_ERROR }
        Unmanaged<TokenCollector>.fromOpaque(data).takeUnretainedValue()
          .take(UnsafeRawBufferPointer(start: token, count: Int(count)))
        return SQLITE_OK
      }
}

private final class PostingsCollector {
  var postings = Postings()
  let limit: Int
  let interrupt: InterruptHandle

  init(limit: Int, interrupt: InterruptHandle) {
    self.limit = limit
    self.interrupt = interrupt
  }

  /// Called by FTS5 for each row of the phrase.
  static let collect:
    @convention(c) (UnsafePointer<Fts5ExtensionApi>?, OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = {
      api, context, data in
      guard let api, let context, let data else { return SQLITE_ERROR }
      let collector = Unmanaged<PostingsCollector>.fromOpaque(data).takeUnretainedValue()
      let count = collector.postings.rows.count
      if count == collector.limit {
        collector.postings.isComplete = false
        return SQLITE_DONE
      }
      // SQLite looks for interrupts between a statement's steps only, and this is one step.
      if count % 1_024 == 0, collector.interrupt.isPending.load(ordering: .relaxed) { return SQLITE_INTERRUPT }
      var place = Fts5PhraseIter()
      var column: Int32 = 0
      var offset: Int32 = 0
      var frequency: UInt32 = 0
      let code = api.pointee.xPhraseFirst(context, 0, &place, &column, &offset)
      if code != SQLITE_OK { return code }
      while column >= 0 {
        frequency += 1
        api.pointee.xPhraseNext(context, &place, &column, &offset)
      }
      collector.postings.rows.append(api.pointee.xRowid(context))
      collector.postings.frequencies.append(frequency)
      return SQLITE_OK
    }
}

/// A call of a body with a reader, on its way through SQLite.
private final class ReaderCall {
  var body: (FullTextReader) -> Void
  let interrupt: InterruptHandle

  init(interrupt: InterruptHandle, body: @escaping (FullTextReader) -> Void) {
    self.body = body
    self.interrupt = interrupt
  }

  /// What SQLite wants to be the same pointer wherever it is named.
  static let kind: StaticString = "FullTextReader"

  static var kindPointer: UnsafePointer<CChar> { UnsafeRawPointer(kind.utf8Start).assumingMemoryBound(to: CChar.self) }
}

extension Connection {
  /// Lends a reader of the FTS5 table `table` for the query of `phrases` (FTS5 strings, such as
  /// `SQLText.fullTextTerm` makes), of which a row must have any. Returns nil, without a call, when no row has.
  ///
  /// `body` is called inside a statement: it must not close the connection.
  /// - Throws: What `body` throws; `SQLiteError`.
  public func withFullText<Result>(
    _ table: String, phrases: [String], _ body: (FullTextReader) throws -> Result
  ) throws -> Result? {
    if phrases.isEmpty { return nil }
    try registerFullText()
    return try withoutActuallyEscaping(body) { body in
      var outcome: Swift.Result<Result, any Error>?
      let call = ReaderCall(interrupt: interruptHandle) { reader in
        outcome = Swift.Result { try body(reader) }
      }
      defer { call.body = { _ in } }
      let name = SQLText.identifier(table)
      let sql = "SELECT quarry_full_text(\(name), ?2) FROM \(name) WHERE \(name) MATCH ?1 LIMIT 1"
      try withStatement(sql) { statement in
        statement.reset()
        try statement.bind(phrases.joined(separator: " OR "), at: 1)
        try handle.check(
          sqlite3_bind_pointer(
            statement.pointer, 2, Unmanaged.passUnretained(call).toOpaque(), ReaderCall.kindPointer, nil))
        _ = try statement.step()
      }
      return try outcome?.get()
    }
  }

  /// Makes the auxiliary function known to FTS5, once. Source: https://www.sqlite.org/fts5.html, section 7.
  private func registerFullText() throws {
    if handle.hasFullText { return }
    try withStatement("SELECT fts5(?1)") { statement in
      statement.reset()
      var api: UnsafeMutablePointer<fts5_api>?
      try withUnsafeMutablePointer(to: &api) { place in
        try handle.check(
          sqlite3_bind_pointer(
            statement.pointer, 1, place, UnsafeRawPointer(Self.apiKind.utf8Start).assumingMemoryBound(to: CChar.self),
            nil))
        _ = try statement.step()
      }
      guard let api else { throw SQLiteError(.other, "this SQLite has no full-text search") }
      try handle.check(
        api.pointee.xCreateFunction(api, "quarry_full_text", nil, Self.callFullText, nil))
    }
    handle.hasFullText = true
  }

  private static let apiKind: StaticString = "fts5_api_ptr"

  private static let callFullText:
    @convention(c) (
      UnsafePointer<Fts5ExtensionApi>?, OpaquePointer?, OpaquePointer?, Int32,
      UnsafeMutablePointer<OpaquePointer?>?
    ) -> Void = { api, context, result, count, values in
      guard let api, let context, count == 1,
        let data = sqlite3_value_pointer(values?[0], ReaderCall.kindPointer)
      else {
        sqlite3_result_error_code(result, SQLITE_MISUSE)
        return
      }
      let call = Unmanaged<ReaderCall>.fromOpaque(data).takeUnretainedValue()
      call.body(FullTextReader(api: api.pointee, context: context, interrupt: call.interrupt))
      sqlite3_result_null(result)
    }
}
