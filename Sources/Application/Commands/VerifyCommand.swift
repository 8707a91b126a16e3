import ArgumentParsing
import Core
import HTTPAPI
import Service

/// `quarry verify`: does everything that is stored agree?
struct VerifyCommand: Command {
  static let configuration = CommandConfiguration(
    "verify", abstract: "Check that everything in the store agrees, and the sources with it.",
    discussion: """
      Checks the file's pages, documents, pages of text, chunks, vectors, the indexes of words and n-grams, jobs, \
      marks of deleted documents and the embedding cache against each other, then looks at the sources. Safe while \
      others ingest and serve. Nothing is changed; 'quarry gc' repairs what is marked as repairable. Exit code 4 when \
      there is an error; leftovers (warning) and changed sources (notice) are none.
      """,
    examples: [
      .init("quarry verify", "after a crash, or every night"),
      .init("quarry verify --deep --json", "read the sources too, for a script"),
    ])

  @OptionGroup var globals: GlobalOptions
  @Flag("Also read every source and compare its bytes with the version indexed.") var deep = false

  init() {}

  mutating func run(_ context: CommandContext) async throws {
    let settings = try globals.load(context).settings
    let progress = EvaluationProgress(context, isQuiet: globals.quiet || globals.json)
    let isDeep = deep
    let report = try await Interruption.cancelling {
      defer { progress.finish() }
      return try await Library.verify(settings, environment: context.environment, isDeep: isDeep) {
        progress.show(IntegrityText.line($0))
      }
    }
    if globals.json {
      context.output(String(decoding: try WireCoding.encode(IntegrityBody(report), pretty: true), as: UTF8.self) + "\n")
    } else {
      IntegrityText.lines(of: report, isQuiet: globals.quiet).forEach { context.print($0) }
    }
    if !report.isSound { throw QuietExit(code: ExitCode.belowTarget) }
  }
}

/// A report as `--json` prints it.
struct IntegrityBody: Encodable {
  var sound: Bool
  var errors: Int
  var warnings: Int
  var notices: Int
  var examined: [String: Int]
  var counts: [String: Int]
  var findings: [IntegrityFinding]

  init(_ report: IntegrityReport) {
    sound = report.isSound
    errors = report.errors
    warnings = report.warnings
    notices = report.notices
    examined = report.examined
    counts = report.counts
    findings = report.findings
  }
}

/// A report for people.
enum IntegrityText {
  static func line(_ progress: InspectionProgress) -> String {
    let total = progress.total.map { "/\($0)" } ?? ""
    return progress.done == 0 && progress.total == nil
      ? progress.stage : "\(progress.stage): \(progress.done)\(total)"
  }

  static func lines(of report: IntegrityReport, isQuiet: Bool) -> [String] {
    var lines = report.findings.map { finding in
      "\(AnswerText.pad(finding.severity.rawValue, 8))\(AnswerText.singleLine(finding.message)) (\(finding.code)"
        + (finding.isRepairable ? ", repairable)" : ")")
    }
    for (code, count) in report.counts.sorted(by: { $0.key < $1.key }) {
      let kept = report.findings.count { $0.code == code }
      if count > kept { lines.append("        and \(count - kept) more of \(code)") }
    }
    guard !isQuiet else { return lines }
    let examined = report.examined.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    if !examined.isEmpty { lines.append("examined: " + examined.joined(separator: ", ")) }
    let isRepairable = report.findings.contains(where: \.isRepairable)
    let isBeyondRepair = report.findings.contains { $0.severity == .error && !$0.isRepairable }
    lines.append(
      report.isSound
        ? "sound" + (report.warnings > 0 ? ", with leftovers" : "") : "damaged: \(report.errors) errors")
    if isRepairable { lines.append("'quarry gc' repairs what is marked as repairable.") }
    if isBeyondRepair {
      lines.append("For the rest restore a backup, or delete the document and ingest its file again.")
    }
    return lines
  }
}
