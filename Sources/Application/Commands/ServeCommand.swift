import ArgumentParsing
import Core
import Service
import Telemetry

/// `quarry serve`: the HTTP API.
struct ServeCommand: Command {
  static let configuration = CommandConfiguration(
    "serve", abstract: "Serve the HTTP API until interrupted.",
    discussion: """
      Listens on 127.0.0.1:8080 unless configured otherwise. An address beyond loopback needs at least one API key \
      (quarry keys create), or --insecure. TLS is on when server.tlsCertificate and server.tlsKey name PEM files. \
      With --watch it also keeps the index equal to the configured sources, as 'quarry watch' does. \
      SIGTERM or Ctrl-C lets running requests finish; a second one does not.
      """,
    examples: [
      .init("quarry serve", "serve this machine"),
      .init("quarry serve --host 0.0.0.0 --port 80", "serve the network, with API keys"),
    ])

  @OptionGroup var globals: GlobalOptions
  @Option("The address to listen on.", valueName: "ADDRESS") var host: String?
  @Option("The port; 0 for any free one.", in: 0...65535) var port: Int?
  @Flag("Listen beyond loopback without API keys: everyone who can connect can read everything.")
  var insecure = false
  @Flag("Keep the index equal to the configured sources meanwhile.") var watch = false

  init() {}

  mutating func run(_ context: CommandContext) async throws {
    var overrides: [String: String] = [:]
    if let host { overrides["server.host"] = host }
    if let port { overrides["server.port"] = String(port) }
    let allowsInsecure = insecure
    let isQuiet = globals.quiet
    let watches = watch
    try await globals.withLibrary(context, overrides: overrides, defaultFormat: .json) { library in
      let watcher = watches ? try await library.watcher(.init()) : nil
      try await library.serve(allowsInsecure: allowsInsecure, watcher: watcher) { address in
        if !isQuiet { context.printError("Quarry listens on \(address)") }
      }
    }
  }
}
