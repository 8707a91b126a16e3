import Foundation
import SQLite
import Testing

@Suite struct StatementTests {
  let connection: Connection

  init() throws {
    connection = try Connection.inMemory()
    try connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, value)")
  }

  private func stored(_ value: (any Bindable)?) throws -> (type: String, length: Int?) {
    try connection.run("INSERT INTO t (value) VALUES (?)", value)
    return try #require(
      connection.first("SELECT typeof(value), length(value) FROM t WHERE id = ?", connection.lastInsertRowID) {
        ($0.text(0), $0.optionalInt(1))
      })
  }

  @Test func storesEachTypeAsItself() throws {
    #expect(try stored(Int64.min).type == "integer")
    #expect(try stored(7).type == "integer")
    #expect(try stored(true).type == "integer")
    #expect(try stored(1.5).type == "real")
    #expect(try stored("text").type == "text")
    #expect(try stored([1, 2, 3] as [UInt8]) == ("blob", 3))
    #expect(try stored(nil).type == "null")
    #expect(try stored(nil as String?).type == "null")
  }

  @Test func keepsEmptyTextAndBytesApartFromNULL() throws {
    #expect(try stored("") == ("text", 0))
    #expect(try stored([UInt8]()) == ("blob", 0))
    #expect(try stored(UnsafeRawBufferPointer(start: nil, count: 0)) == ("blob", 0))
  }

  @Test func returnsWhatWasBound() throws {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
    let text = "zero\0byte, ü, 🜁"
    try connection.run("INSERT INTO t (id, value) VALUES (1, ?), (2, ?), (3, ?), (4, ?)", bytes, text, Int64.max, -0.1)
    #expect(try connection.first("SELECT value FROM t WHERE id = 1") { $0.bytes(0) } == bytes)
    #expect(try connection.first("SELECT value FROM t WHERE id = 2") { $0.text(0) } == text)
    #expect(try connection.first("SELECT value FROM t WHERE id = 3") { $0.integer(0) } == .max)
    #expect(try connection.first("SELECT value FROM t WHERE id = 4") { $0.double(0) } == -0.1)
    #expect(try connection.first("SELECT value FROM t WHERE id = 5") { $0.double(0) } == nil)
  }

  @Test func readsNULLAsNil_orAsZero() throws {
    let isAllNil = try connection.first("SELECT NULL") { row in
      row.isNull(0) && row.optionalText(0) == nil && row.optionalInteger(0) == nil && row.optionalBytes(0) == nil
        && row.optionalDouble(0) == nil && row.text(0) == "" && row.integer(0) == 0 && row.bytes(0) == []
    }
    #expect(isAllNil == true)
  }

  @Test func lendsBlobsWithoutACopy() throws {
    try connection.run("INSERT INTO t (value) VALUES (?), (?)", [1, 2, 3] as [UInt8], [UInt8]())
    let sums = try connection.map("SELECT value FROM t") { row in
      row.withBytes(0) { buffer in buffer.reduce(0) { $0 + Int($1) } }
    }
    #expect(sums == [6, 0])
  }

  @Test func bindsByName() throws {
    let statement = try connection.prepare("SELECT :a || :b")
    try statement.bind("x", to: ":a")
    try statement.bind("y", to: ":b")
    #expect(try statement.step())
    #expect(statement.row.text(0) == "xy")
    #expect(throws: SQLiteError.self) { try statement.bind("z", to: ":c") }
  }

  @Test func refusesTheWrongNumberOfValues() {
    let error = #expect(throws: SQLiteError.self) { try connection.run("INSERT INTO t (value) VALUES (?)", 1, 2) }
    #expect(error?.kind == .misuse)
  }

  @Test func refusesTextThatIsNotOneStatement() throws {
    for text in ["", "  ", "-- nothing", "SELECT 1; SELECT 2"] {
      let error = #expect(throws: SQLiteError.self) { try connection.prepare(text) }
      #expect(error?.kind == .misuse, "\(text)")
    }
    _ = try connection.prepare("SELECT 1;\n ")
  }

  @Test func countsOnlyTheRowsOfTheLastStatement() throws {
    #expect(try connection.run("INSERT INTO t (value) VALUES (1), (2), (3)") == 3)
    #expect(try connection.run("UPDATE t SET value = 0 WHERE id > 100") == 0)
    #expect(try connection.run("CREATE TABLE other (x)") == 0)
    #expect(try connection.run("DELETE FROM t") == 3)
  }

  @Test func nestsUsesOfTheSameText() throws {
    try connection.run("INSERT INTO t (value) VALUES (1), (2), (3)")
    var pairs = 0
    try connection.forEach("SELECT value FROM t") { _ in
      try connection.forEach("SELECT value FROM t") { _ in pairs += 1 }
    }
    #expect(pairs == 9)
  }

  @Test func holdsNoLock_whenARowsClosureThrows() throws {
    struct Stop: Error {}
    try connection.run("INSERT INTO t (value) VALUES (1), (2)")
    #expect(throws: Stop.self) { try connection.forEach("SELECT value FROM t") { _ in throw Stop() } }
    // With the read still open, this would be "table is locked".
    try connection.execute("DROP TABLE t")
  }

  @Test func keepsTheDatabaseOpen_whileAStatementLives() throws {
    var other: Connection? = try Connection.inMemory()
    let statement = try other?.prepare("SELECT 42")
    other = nil
    #expect(try statement?.step() == true)
    #expect(statement?.row.int(0) == 42)
  }

  @Test func usesMoreTextsThanTheCacheHolds() throws {
    for number in 0..<500 { #expect(try connection.first("SELECT \(number)") { $0.int(0) } == number) }
  }
}

@Suite struct SQLTextTests {
  @Test(arguments: [#"a "quoted" word"#, "NEAR(", "a AND", "-x", "col:term", "*", "it's", "", "(", "\0", "^", "ü"])
  func makesAnyUserTermAValidQuery(term: String) throws {
    let connection = try Connection.inMemory()
    try connection.execute(
      "CREATE VIRTUAL TABLE f USING fts5(body); INSERT INTO f VALUES ('a quoted word, it''s here')")
    let query = "SELECT count(*) FROM f WHERE f MATCH ?"
    #expect(try connection.first(query, SQLText.fullTextTerm(term)) { $0.int(0) } != nil)
    #expect(try connection.first(query, SQLText.fullTextAny(of: [term, "word"])) { $0.int(0) } == 1)
    #expect(try connection.first(query, SQLText.fullTextAll(of: ["absent", "word"])) { $0.int(0) } == 0)
  }

  @Test func hasNoQuery_whenThereAreNoTerms() {
    #expect(SQLText.fullTextAny(of: [String]()) == nil && SQLText.fullTextAll(of: [String]()) == nil)
  }

  @Test func quotesNamesAndLiterals() throws {
    let connection = try Connection.inMemory()
    let name = #"odd "name"; --"#
    try connection.execute("CREATE TABLE \(SQLText.identifier(name)) (x)")
    #expect(try connection.first("SELECT name FROM sqlite_schema") { $0.text(0) } == name)
    #expect(try connection.first("SELECT \(SQLText.literal("it's"))") { $0.text(0) } == "it's")
  }

  @Test func reportsAMalformedQuery_asAStatementError() throws {
    let connection = try Connection.inMemory()
    try connection.execute("CREATE VIRTUAL TABLE f USING fts5(body)")
    let error = #expect(throws: SQLiteError.self) {
      try connection.first("SELECT 1 FROM f WHERE f MATCH ?", "a AND") { $0.int(0) }
    }
    #expect(error?.kind == .statement && error?.primaryCode == 1)
  }
}
