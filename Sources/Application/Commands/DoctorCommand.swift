import ArgumentParsing
import HTTPAPI
import Service

/// `quarry doctor`: is everything there, and sound?
struct DoctorCommand: Command {
  static let configuration = CommandConfiguration(
    "doctor", abstract: "Check disk, store, index, embedding model and PDF reader.",
    discussion: "Reads the whole store. Exit code 4 when a check failed.")

  @OptionGroup var globals: GlobalOptions

  init() {}

  mutating func run(_ context: CommandContext) async throws {
    let loaded = try globals.load(context)
    let findings = await Library.diagnose(
      loaded.settings, environment: context.environment, log: globals.log(loaded, context))
    if globals.json {
      context.output(String(decoding: try WireCoding.encode(findings, pretty: true), as: UTF8.self) + "\n")
    } else {
      let width = 1 + (findings.map(\.check.count).max() ?? 0)
      for finding in findings where !(globals.quiet && finding.verdict == .ok) {
        context.print(
          "\(AnswerText.pad(finding.verdict.rawValue, 8))\(AnswerText.pad(finding.check, width))\(finding.message)"
            + (finding.remedy.map { " – \($0)" } ?? ""))
      }
    }
    if findings.contains(where: { $0.verdict == .failed }) { throw QuietExit(code: ExitCode.belowTarget) }
  }
}
