import ArgumentParsing
import HTTPAPI
import Service

extension ArchiveCommand {
  /// `quarry archive ship`.
  struct Ship: Command {
    static let configuration = CommandConfiguration(
      "ship", abstract: "Send the events that wait on this machine to S3 and Firehose now.",
      discussion: """
        'serve' and 'watch' send by themselves, and every other command for events.spool.flushTime at its end. This one \
        takes the time it needs and says why something cannot be sent. Exit code 69 when it cannot.
        """)

    @OptionGroup var globals: GlobalOptions

    init() {}

    mutating func run(_ context: CommandContext) async throws {
      let globals = globals
      let shipments = try await Interruption.cancelling {
        try await globals.withLibrary(context) { library in try await library.shipNow() }
      }
      if globals.json {
        context.output(String(decoding: try WireCoding.encode(shipments, pretty: true), as: UTF8.self) + "\n")
      } else {
        for shipment in shipments {
          context.print(
            "\(shipment.archive): \(shipment.shipped) files sent, \(shipment.waiting) wait (\(shipment.waitingBytes) bytes), "
              + "\(shipment.dropped) events dropped so far")
          if let error = shipment.error { context.printError("\(shipment.archive): \(error)") }
        }
        if shipments.isEmpty && !globals.quiet { context.printError("events.targets names no archive to send to.") }
      }
      if shipments.contains(where: { $0.error != nil }) { throw QuietExit(code: ExitCode.unavailable) }
    }
  }
}
