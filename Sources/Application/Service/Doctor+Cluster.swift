import Core
import OpenSearchStore

extension Library {
  /// What is to be seen of the cluster: whether it answers, its version and plugins, its health and disks, the index.
  static func clusterFindings(_ settings: Settings, environment: [String: String]) async -> [DoctorFinding] {
    var findings: [DoctorFinding] = []
    let client: OpenSearchClient
    do {
      client = try await OpenStore.client(
        settings, remote: RemoteParts(settings: settings, environment: environment), environment: environment)
    } catch {
      return [await check("cluster") { throw error }]
    }
    for look in OpenSearchExamination.all {
      findings.append(
        await check(look.name) {
          let result = try await look.run(client)
          let verdict: DoctorFinding.Verdict =
            switch result.verdict {
            case .ok: .ok
            case .warning: .warning
            case .failed: .failed
            }
          return (verdict, result.message, result.remedy)
        })
      // Nothing more is to be learnt of a cluster that does not answer.
      if look.name == OpenSearchExamination.first, findings.last?.verdict == .failed { break }
    }
    return findings
  }
}
