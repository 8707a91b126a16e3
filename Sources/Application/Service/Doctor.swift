import Core
import FoundationEssentials
import Glibc
import Ingestion
import LocalModels
import PDFReading
import SQLiteStore
public import Telemetry

/// One thing that `quarry doctor` looked at.
public struct DoctorFinding: Sendable, Hashable, Codable {
  /// How it is.
  public enum Verdict: String, Sendable, Codable {
    /// As it should be.
    case ok
    /// Works, but somebody should look.
    case warning
    /// Does not work.
    case failed
  }

  /// What was looked at.
  public var check: String
  /// How it is.
  public var verdict: Verdict
  /// What was found.
  public var message: String
  /// What to do about it; absent when nothing.
  public var remedy: String?
}

extension Library {
  /// Looks at everything that Quarry needs: disk, store, model, index, PDF reader. Whatever is broken is a finding; the
  /// others are looked at all the same.
  public static func diagnose(
    _ settings: Settings, environment: [String: String], log: StructuredLog
  ) async -> [DoctorFinding] {
    var findings = [diskSpace(settings)]
    if settings.store.kind == .opensearch {
      findings += await clusterFindings(settings, environment: environment)
    } else {
      findings.append(await check("store") { try await storeFinding(settings) })
    }
    do {
      findings += try await withOpen(settings, environment: environment, log: log) { library in
        let local = [
          await check("model") { try await modelFinding(library.embedder()) },
          await check("index") { try await library.indexFinding() },
        ]
        let archives = await library.archiveFindings()
        return local + archives + (await library.awsFindings())
      }
    } catch {
      findings.append(
        await check("model") {
          try await modelFinding(
            embedder(
              of: settings, environment: environment,
              remote: RemoteParts(settings: settings, environment: environment)))
        })
      findings.append(await check("index") { throw error })
    }
    findings.append(
      await check("pdf reader") {
        let configuration = settings.readerConfiguration
        let version = try await PDFPageReader.popplerVersion(configuration: configuration)
        return (.ok, "\(try configuration.locateReader()) with Poppler \(version)", nil)
      })
    if case .command(let command) = settings.ocr.recognizer {
      findings.append(
        await check("ocr") {
          let recognizer = try await CommandTextRecognizer.start(command)
          return (.ok, "\(recognizer.name), language \(command.language)", nil)
        })
    }
    return findings
  }

  private static func storeFinding(_ settings: Settings) async throws -> (DoctorFinding.Verdict, String, String?) {
    let report: IntegrityReport
    do {
      report = try await SQLiteStoreInspection(path: settings.store.path).inspect(rules: .standard) { _ in }
    } catch let error as StoreError where error.category == .notFound {
      return (.warning, error.message, "Run: quarry ingest PATH")
    }
    // Made by an earlier version; opening it brings it up to date.
    if report.counts.keys.elementsEqual(["store.outdated_schema"]) {
      return (.ok, "\(settings.store.path) is of an earlier version and will be brought up to date", nil)
    }
    guard report.needsRepair else { return (.ok, "\(settings.store.path) is sound", nil) }
    let first = report.findings.first { $0.severity == (report.isSound ? .warning : .error) }
    return (
      report.isSound ? .warning : .failed,
      "\(report.errors) errors and \(report.warnings) leftovers, the first: \(first?.message ?? "")",
      report.isSound || first?.isRepairable == true
        ? "Run: quarry gc" : "Run: quarry verify, which lists them; a backup or a new ingest mends them."
    )
  }

  private static func modelFinding(_ embedder: any Embedder) async throws -> (DoctorFinding.Verdict, String, String?) {
    _ = try await embedder.embed(["a test"], as: .query)
    let kernels = embedder is LocalEmbedder ? ", kernels \(KernelPath.chosen.rawValue)" : ""
    return (.ok, embedder.identity.summary + kernels, nil)
  }

  fileprivate func indexFinding() async throws -> (DoctorFinding.Verdict, String, String?) {
    let embedder = try embedder()
    let pipeline = try await ingester().pipeline
    let totals = try await index.totals(pipeline: pipeline, identity: embedder.identity)
    let size = "\(totals.documents) documents, \(totals.pages) pages, \(totals.chunks) chunks"
    if let active = try await index.activeIdentity(), active != embedder.identity {
      return (
        .failed, "the index has vectors of \(active.summary), the configured model is \(embedder.identity.summary)",
        "Run: quarry ingest --rebuild"
      )
    }
    if totals.documents == 0 { return (.warning, "the index is empty", "Run: quarry ingest PATH") }
    if totals.stale > 0 {
      return (.warning, "\(size); \(totals.stale) made by another pipeline", "Run: quarry ingest --rebuild")
    }
    return (.ok, size, nil)
  }

  private static func diskSpace(_ settings: Settings) -> DoctorFinding {
    let path = FileManager.default.fileExists(atPath: settings.dataDirectory) ? settings.dataDirectory : "/"
    var status = statvfs()
    guard statvfs(path, &status) == 0 else {
      return DoctorFinding(
        check: "disk", verdict: .failed, message: "cannot look at \(path): \(String(cString: strerror(errno)))",
        remedy: "Check dataDirectory.")
    }
    let free = Int(status.f_bavail) * Int(status.f_frsize)
    let message = "\(free >> 20) MiB free for \(settings.dataDirectory)"
    return free < 1 << 30
      ? DoctorFinding(check: "disk", verdict: .warning, message: message, remedy: "Free space on that disk.")
      : DoctorFinding(check: "disk", verdict: .ok, message: message, remedy: nil)
  }

  /// - Parameter blocks: What does not work when the check fails.
  static func check(
    _ name: String, blocks: String? = nil, _ body: () async throws -> (DoctorFinding.Verdict, String, String?)
  ) async -> DoctorFinding {
    let effect = blocks.map { "; this blocks: \($0)" } ?? ""
    do {
      let (verdict, message, remedy) = try await body()
      return DoctorFinding(check: name, verdict: verdict, message: message, remedy: remedy)
    } catch let error as any CategorizedError {
      return DoctorFinding(
        check: name, verdict: .failed, message: "\(error.message) (\(error.code))\(effect)", remedy: error.remedy)
    } catch {
      return DoctorFinding(check: name, verdict: .failed, message: "\(error)\(effect)", remedy: nil)
    }
  }
}
