import ArgumentParsing
import Core
import FoundationEssentials
import HTTPAPI
import Service

/// `quarry keys`: keys of the HTTP API.
struct KeysCommand: CommandGroup {
  static let configuration = CommandConfiguration(
    "keys", abstract: "Create, list or revoke keys of the HTTP API.",
    discussion: """
      A key is needed on every request once the service listens beyond loopback, or once any key exists. Only a \
      hash of it is stored: it is printed once, when it is created.
      """,
    subcommands: [Create.self, List.self, Revoke.self])

  init() {}

  private struct KeyBody: Encodable {
    var id: String
    var label: String
    var collections: [String]?
    var permission: String
    var created: Date
    var revoked: Date?
    var key: String?

    init(_ record: APIKey, key: String? = nil) {
      id = record.id
      label = record.label
      collections = record.allowedCollections.map { $0.map(\.rawValue).sorted() }
      permission = record.permission.rawValue
      created = record.created
      revoked = record.revoked
      self.key = key
    }
  }

  /// `quarry keys create`.
  struct Create: Command {
    static let configuration = CommandConfiguration(
      "create", abstract: "Create a key and print it, once.",
      examples: [.init("quarry keys create --label intranet --collection handbooks", "a key for one collection")])

    @OptionGroup var globals: GlobalOptions
    @Option("What the key is for.", valueName: "TEXT") var label = ""
    @Flag("A key that may ask and read, but neither upload nor delete.") var readOnly = false
    @Option("A collection the key is good for; all when none is named.", short: "c", valueName: "NAME")
    var collection: [String]

    init() {}

    mutating func validate() throws {
      for name in collection where !CollectionName.isValid(name) {
        throw CommandLineError.usage("'\(name)' cannot name a collection")
      }
    }

    mutating func run(_ context: CommandContext) async throws {
      try await globals.withLibrary(context) { library in
        let made = KeySecret.makeKey(
          label: label, collections: collection.isEmpty ? nil : Set(collection.map(CollectionName.init(rawValue:))),
          permission: readOnly ? .read : .write, now: Date())
        try await library.keys.add(made.key)
        if globals.json {
          let body = KeyBody(made.key, key: made.secret)
          context.output(String(decoding: try WireCoding.encode(body, pretty: true), as: UTF8.self) + "\n")
        } else {
          context.print(made.secret)
          if !globals.quiet { context.printError("Keep it: it cannot be shown again. Its id is \(made.key.id).") }
        }
      }
    }
  }

  /// `quarry keys list`.
  struct List: Command {
    static let configuration = CommandConfiguration("list", abstract: "List keys; their secrets are not stored.")

    @OptionGroup var globals: GlobalOptions

    init() {}

    mutating func run(_ context: CommandContext) async throws {
      try await globals.withLibrary(context) { library in
        let keys = try await library.keys.keys()
        if globals.json {
          let bodies = keys.map { KeyBody($0) }
          context.output(String(decoding: try WireCoding.encode(bodies, pretty: true), as: UTF8.self) + "\n")
          return
        }
        if keys.isEmpty && !globals.quiet { context.print("No keys.") }
        for key in keys {
          let scope = key.allowedCollections.map { $0.map(\.rawValue).sorted().joined(separator: ",") } ?? "all"
          let state = key.revoked == nil ? "active " : "revoked"
          context.print(
            "\(key.id)  \(state)  \(AnswerText.pad(key.permission.rawValue, 5))  "
              + "\(key.created.formatted(.iso8601))  collections: \(scope)  "
              + AnswerText.singleLine(key.label))
        }
      }
    }
  }

  /// `quarry keys revoke`.
  struct Revoke: Command {
    static let configuration = CommandConfiguration(
      "revoke", abstract: "Revoke a key; requests with it fail at once.")

    @OptionGroup var globals: GlobalOptions
    @Argument("The key's id, as 'keys list' prints it.", valueName: "ID") var id: String

    init() {}

    mutating func run(_ context: CommandContext) async throws {
      try await globals.withLibrary(context) { library in
        guard try await library.keys.revoke(id, now: Date()) else {
          throw CoreError(
            code: "keys.unknown", category: .notFound, message: "there is no active key '\(id)'",
            remedy: "List them with: quarry keys list")
        }
        if globals.json {
          guard let key = try await library.keys.key(id) else { return }
          context.output(String(decoding: try WireCoding.encode(KeyBody(key), pretty: true), as: UTF8.self) + "\n")
        } else if !globals.quiet {
          context.print("revoked \(id)")
        }
      }
    }
  }
}
