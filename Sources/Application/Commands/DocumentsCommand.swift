import ArgumentParsing
import Core
import HTTPAPI
import Ingestion
import Service

/// `quarry documents`: what is in the index.
struct DocumentsCommand: CommandGroup {
  static let configuration = CommandConfiguration(
    "documents", abstract: "List, show, delete or retry documents.",
    subcommands: [List.self, Show.self, Delete.self, DocumentsRetryCommand.self])

  init() {}

  /// `quarry documents list`.
  struct List: Command {
    static let configuration = CommandConfiguration(
      "list", abstract: "List documents with their state.",
      discussion: """
        Lists what is in the index. With --state failed (or parked), queued, running or retrying it lists documents \
        by the work on them: those that never came into the index, and those whose next version did not.
        """,
      examples: [.init("quarry documents list --state failed", "what could not be read, and why")])

    @OptionGroup var globals: GlobalOptions
    @Option("Only this collection.", short: "c", valueName: "NAME") var collection: String?
    @Option("Only documents in this state.") var state: ListedState?
    @Option("Most documents listed.", in: 1...1_000_000, short: "n") var limit = 1000
    @Option("Go on after this cursor of an earlier list.") var cursor: String?

    init() {}

    mutating func run(_ context: CommandContext) async throws {
      try await globals.withLibrary(context) { library in
        if let states = state.flatMap({ ListedJobState.states(for: $0.rawValue) }) {
          return try await listJobs(in: states, library, context)
        }
        let state = state.flatMap { DocumentState(rawValue: $0.rawValue) }
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
        if state == nil { try await mentionOthers(library, context) }
      }
    }

    private var collections: Set<CollectionName>? { collection.map { [CollectionName(rawValue: $0)] } }

    /// Documents by the work on them.
    private func listJobs(in states: Set<JobState>, _ library: Library, _ context: CommandContext) async throws {
      var documents: [DocumentBody] = []
      var next = cursor
      repeat {
        let page = try await library.jobs.jobs(
          in: states, collections: collections, limit: min(1000, limit - documents.count), after: next)
        for job in page.jobs {
          documents.append(DocumentBody(job, id: try await job.documentID(in: library.index)))
        }
        next = page.next
      } while next != nil && documents.count < limit
      if globals.json {
        let body = DocumentListBody(documents: documents, nextCursor: next)
        context.output(String(decoding: try WireCoding.encode(body, pretty: true), as: UTF8.self) + "\n")
        return
      }
      if documents.isEmpty && !globals.quiet { context.print("No such documents.") }
      for document in documents {
        context.print(
          "\(document.id)  \(AnswerText.pad(document.state, 10))  \(document.collection)  "
            + AnswerText.singleLine(document.name) + (document.reason.map { " – \(AnswerText.singleLine($0))" } ?? ""))
      }
      if let next { context.printError("more with --cursor \(next)") }
    }

    /// Says what the index does not have, so that nobody takes the list for all there is.
    private func mentionOthers(_ library: Library, _ context: CommandContext) async throws {
      guard !globals.quiet else { return }
      let jobs = try await library.jobs.summary(under: nil, collections: collections).counts
      let others = [(JobState.parked, "failed"), (.queued, "queued"), (.running, "running"), (.retrying, "retrying")]
        .compactMap { state, word in jobs[state].map { "\($0) \(word)" } }
      guard !others.isEmpty else { return }
      context.printError("beside these: \(others.joined(separator: ", ")) (see --state)")
    }
  }

  /// `quarry documents show`.
  struct Show: Command {
    static let configuration = CommandConfiguration(
      "show", abstract: "Show a document with the state of each page, or the text of one page.")

    @OptionGroup var globals: GlobalOptions
    @Argument("The document's id, its file name, or its path.", valueName: "DOCUMENT") var document: String
    @Option("Print the text of this page (of the PDF, from 1) as it is searched and cited.", in: 1...1_000_000)
    var page: Int?

    init() {}

    mutating func run(_ context: CommandContext) async throws {
      try await globals.withLibrary(context) { library in
        let entry = try await DocumentLookup.find(document, in: library.index)
        if let page { return try await show(page, of: entry, in: library.index, context) }
        let pages = try await library.index.coverage(of: entry.document.id)
        let body = DocumentDetailBody(document: DocumentBody(entry), pages: pages.map(PageCoverageBody.init))
        if globals.json {
          context.output(String(decoding: try WireCoding.encode(body, pretty: true), as: UTF8.self) + "\n")
          return
        }
        for (name, value) in fields(body.document) { context.print("\(AnswerText.pad(name, 11))\(value)") }
        for line in PageLedgerText.lines(pages) { context.print(AnswerText.singleLine(line)) }
      }
    }

    private func show(
      _ number: Int, of entry: CatalogueEntry, in index: any DocumentIndex, _ context: CommandContext
    ) async throws {
      guard let page = try await index.page(number, of: entry.document.id) else {
        throw CoreError(
          code: "page.unknown", category: .notFound,
          message: "'\(entry.document.name)' has no page \(number) but \(entry.pageCount) pages",
          remedy: "Pages are counted from 1.")
      }
      if globals.json {
        let body = PageBody(page, document: entry.document.id)
        context.output(String(decoding: try WireCoding.encode(body, pretty: true), as: UTF8.self) + "\n")
      } else if page.coverage == .text {
        context.print(AnswerText.singleLine(page.text, keepingLines: true))
      } else {
        context.printError("page \(number) is \(page.coverage.rawValue): \(page.coverageReason ?? "")")
      }
    }

    private func fields(_ document: DocumentBody) -> [(String, String)] {
      let coverage = document.coverage.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        .map { "\($0.value) \($0.key)" }.joined(separator: ", ")
      return [
        ("id", document.id), ("name", AnswerText.singleLine(document.name)),
        ("title", AnswerText.singleLine(document.title ?? "–")), ("collection", document.collection),
        ("uri", AnswerText.singleLine(document.uri)), ("version", document.version ?? "–"),
        ("state", document.state + (document.reason.map { ": \($0)" } ?? "")),
        ("pages", "\(document.pageCount) (\(coverage))"), ("chunks", "\(document.chunkCount)"),
        ("bytes", "\(document.byteCount)"), ("pipeline", document.pipeline ?? "–"),
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

/// The states that documents are listed by: those of the index, and those of the work on them.
enum ListedState: String, CaseIterable, ArgumentValue {
  case ready, incomplete, unreadable, failed, queued, running, retrying, parked
}

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
