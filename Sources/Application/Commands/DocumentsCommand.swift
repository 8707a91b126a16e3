public import ArgumentParsing
public import Core
import HTTPAPI
import Service

/// `quarry documents`: what is in the index.
struct DocumentsCommand: CommandGroup {
  static let configuration = CommandConfiguration(
    "documents", abstract: "List, show or delete documents of the index.",
    subcommands: [List.self, Show.self, Delete.self])

  init() {}

  /// `quarry documents list`.
  struct List: Command {
    static let configuration = CommandConfiguration("list", abstract: "List documents with their state.")

    @OptionGroup var globals: GlobalOptions
    @Option("Only this collection.", short: "c", valueName: "NAME") var collection: String?
    @Option("Only documents in this state.") var state: DocumentState?
    @Option("Most documents listed.", in: 1...1_000_000, short: "n") var limit = 1000
    @Option("Go on after this cursor of an earlier list.") var cursor: String?

    init() {}

    mutating func run(_ context: CommandContext) async throws {
      try await globals.withLibrary(context) { library in
        var entries: [CatalogueEntry] = []
        var next = cursor
        repeat {
          let page = try await library.index.catalogue(
            collections: collection.map { [CollectionName(rawValue: $0)] }, state: state,
            limit: min(1000, limit - entries.count), after: next)
          entries += page.entries
          next = page.next
        } while next != nil && entries.count < limit
        if globals.json {
          let body = DocumentListBody(documents: entries.map(DocumentBody.init), nextCursor: next)
          context.output(String(decoding: try WireCoding.encode(body, pretty: true), as: UTF8.self) + "\n")
          return
        }
        if entries.isEmpty && !globals.quiet { context.print("No documents. Put some in with: quarry ingest PATH") }
        for entry in entries {
          let unreadable = entry.coverage.filter(\.key.isUnreadable).values.reduce(0, +)
          let note = unreadable > 0 ? ", \(unreadable) unreadable" : ""
          context.print(
            "\(entry.document.id)  \(AnswerText.pad(entry.state.rawValue, 10))  \(entry.pageCount) pages\(note)  "
              + "\(entry.document.collection)  \(AnswerText.singleLine(entry.document.name))")
        }
        if let next { context.printError("more with --cursor \(next)") }
      }
    }
  }

  /// `quarry documents show`.
  struct Show: Command {
    static let configuration = CommandConfiguration(
      "show", abstract: "Show a document with the state of each page.")

    @OptionGroup var globals: GlobalOptions
    @Argument("The document's id, its file name, or its path.", valueName: "DOCUMENT") var document: String

    init() {}

    mutating func run(_ context: CommandContext) async throws {
      try await globals.withLibrary(context) { library in
        let entry = try await DocumentLookup.find(document, in: library.index)
        let pages = try await library.index.coverage(of: entry.document.id).map {
          PageCoverageBody(page: $0.page, coverage: $0.coverage, reason: $0.reason)
        }
        let body = DocumentDetailBody(document: DocumentBody(entry), pages: pages)
        if globals.json {
          context.output(String(decoding: try WireCoding.encode(body, pretty: true), as: UTF8.self) + "\n")
          return
        }
        for (name, value) in fields(body.document) { context.print("\(AnswerText.pad(name, 11))\(value)") }
        for page in pages where page.coverage != PageCoverage.text.rawValue {
          context.print("page \(page.page): \(page.coverage)" + (page.reason.map { " – \($0)" } ?? ""))
        }
      }
    }

    private func fields(_ document: DocumentBody) -> [(String, String)] {
      let coverage = document.coverage.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        .map { "\($0.value) \($0.key)" }.joined(separator: ", ")
      return [
        ("id", document.id), ("name", AnswerText.singleLine(document.name)),
        ("title", AnswerText.singleLine(document.title ?? "–")), ("collection", document.collection),
        ("uri", AnswerText.singleLine(document.uri)), ("version", document.version),
        ("state", document.state + (document.reason.map { ": \($0)" } ?? "")),
        ("pages", "\(document.pageCount) (\(coverage))"), ("chunks", "\(document.chunkCount)"),
        ("bytes", "\(document.byteCount)"), ("pipeline", document.pipeline),
      ]
    }
  }

  /// `quarry documents delete`.
  struct Delete: Command {
    static let configuration = CommandConfiguration(
      "delete", abstract: "Delete documents from the index; files stay.",
      discussion: """
        A deleted document does not come back by a scan of its folder while its file stays; name the file in \
        'quarry ingest FILE' to take it in again.
        """)

    @OptionGroup var globals: GlobalOptions
    @Argument("Ids, file names or paths.", required: true, valueName: "DOCUMENT") var documents: [String]

    init() {}

    mutating func run(_ context: CommandContext) async throws {
      try await globals.withLibrary(context) { library in
        // All are looked up first, so that a mistyped name deletes nothing.
        var entries: [CatalogueEntry] = []
        for name in documents { entries.append(try await DocumentLookup.find(name, in: library.index)) }
        for entry in entries {
          try await library.delete(entry.document.id, context: library.requestContext())
          if !globals.quiet && !globals.json {
            context.print("deleted \(AnswerText.singleLine(entry.document.name)) (\(entry.document.id))")
          }
        }
        if globals.json {
          let body = DocumentListBody(documents: entries.map(DocumentBody.init), nextCursor: nil)
          context.output(String(decoding: try WireCoding.encode(body, pretty: true), as: UTF8.self) + "\n")
        }
      }
    }
  }
}

extension DocumentState: ArgumentValue {}

/// Finds a document by what a person types.
enum DocumentLookup {
  static func find(_ name: String, in index: any DocumentIndex) async throws -> CatalogueEntry {
    if let entry = try await index.entry(DocumentID(rawValue: name)) { return entry }
    var matches: [CatalogueEntry] = []
    var cursor: String?
    repeat {
      let page = try await index.catalogue(collections: nil, state: nil, limit: 1000, after: cursor)
      matches += page.entries.filter { entry in
        entry.document.name == name || entry.document.uri.rawValue == name
          || entry.document.uri.filePath.map { $0 == name || $0.hasSuffix("/" + name) } == true
      }
      cursor = page.next
    } while cursor != nil
    guard let match = matches.first else {
      throw CoreError(
        code: "document.unknown", category: .notFound, message: "there is no document '\(name)'",
        remedy: "List them with: quarry documents list")
    }
    guard matches.count == 1 else {
      throw CoreError(
        code: "document.ambiguous", category: .invalidInput,
        message: "'\(name)' names \(matches.count) documents: "
          + matches.prefix(5).map { "\($0.document.id) (\($0.document.uri))" }.joined(separator: ", "),
        remedy: "Use an id.")
    }
    return match
  }
}
