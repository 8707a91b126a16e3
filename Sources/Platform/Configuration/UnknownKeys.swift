import Spelling

extension ReadingState {
  /// A file of a hundred thousand unknown keys gets an answer at once; its first problems tell enough.
  private static let mostHints = 100

  /// What was reported while reading, with every key, variable and flag that nothing asked for.
  func allProblems() -> [ConfigurationProblem] {
    var all = problems
    let parents = parentPaths()
    if let root = defaults.root {
      unknownKeys(in: root, path: "", template: "", origin: .builtIn, parents: parents, into: &all)
    }
    if let file, let root = file.root {
      let origin = ConfigurationOrigin.file(name: file.name, line: 1, column: 1)
      unknownKeys(in: root, path: "", template: "", origin: origin, parents: parents, into: &all)
    }
    for item in items {
      guard let node = item.node else { continue }
      unknownKeys(
        in: node, path: item.path, template: item.template, origin: item.origin, parents: parents, into: &all)
    }
    let variables = knownVariables
    for name in environment.keys
    where name.hasPrefix(environmentPrefix) && !variables.contains(name) && !otherVariables.contains(name) {
      let hint = suggestion(for: name, in: variables + otherVariables.sorted())
      all.append(
        ConfigurationProblem(origin: .environment(name), key: nil, message: "unknown environment variable\(hint)"))
    }
    for key in flags.keys where !known.contains(key) || key.contains("[") {
      all.append(
        ConfigurationProblem(
          origin: .flag(key), key: key, message: "unknown key\(nearestKey(to: key, path: "", template: ""))"))
    }
    return all.sorted { $0.origin.sortKey < $1.origin.sortKey }
  }

  /// Every path that a known key lies below.
  private func parentPaths() -> Set<String> {
    var parents: Set<String> = []
    for key in known {
      var rest = key[...]
      while let dot = rest.lastIndex(of: ".") {
        rest = rest[..<dot]
        parents.insert(String(rest))
      }
    }
    return parents
  }

  private func unknownKeys(
    in node: YAMLNode, path: String, template: String, origin: ConfigurationOrigin, parents: Set<String>,
    into problems: inout [ConfigurationProblem]
  ) {
    guard case .map(let entries) = node.content else {
      if !node.isEmpty {
        let message = "must be a map of keys, not \(node.summary)"
        problems.append(ConfigurationProblem(origin: origin.moved(to: node.mark), key: path, message: message))
      }
      return
    }
    for entry in entries {
      let keyPath = path.isEmpty ? entry.key : "\(path).\(entry.key)"
      let keyTemplate = template.isEmpty ? entry.key : "\(template).\(entry.key)"
      let isFlat = entry.key.contains(".") || entry.key.contains("[")
      if known.contains(keyTemplate), !isFlat { continue }
      if parents.contains(keyTemplate), !isFlat {
        unknownKeys(
          in: entry.value, path: keyPath, template: keyTemplate, origin: origin, parents: parents, into: &problems)
        continue
      }
      let hint =
        isFlat && known.contains(keyTemplate)
        ? "; write it as nested maps, one for each part between the dots"
        : problems.count >= Self.mostHints ? "" : nearestKey(to: entry.key, path: path, template: template)
      problems.append(
        ConfigurationProblem(
          origin: origin.moved(to: entry.mark), key: keyPath,
          message: "unknown key\(origin == .builtIn ? " in the built-in defaults" : "")\(hint)"))
    }
  }

  /// `; did you mean 'x'?` with the nearest key below the same parent, else the key of that name elsewhere.
  private func nearestKey(to name: String, path: String, template: String) -> String {
    let prefix = template.isEmpty ? "" : template + "."
    let siblings = known.union(parentPaths()).filter { key in
      key.hasPrefix(prefix) && !key.dropFirst(prefix.count).contains(".") && !key.hasSuffix("[]")
    }
    let names = siblings.map { String($0.dropFirst(prefix.count)) }.sorted()
    if let near = nearestWord(to: name, in: names) {
      return "; did you mean '\(path.isEmpty ? "" : path + ".")\(near)'?"
    }
    let elsewhere = known.sorted().filter { !$0.contains("[") }
    if let near = nearestWord(to: name, in: elsewhere) { return "; did you mean '\(near)'?" }
    let lastPart = { (key: String) in String(key.split(separator: ".").last ?? "") }
    guard let near = nearestWord(to: lastPart(name), in: elsewhere.map(lastPart)) else { return "" }
    return elsewhere.first { lastPart($0) == near }.map { "; did you mean '\($0)'?" } ?? ""
  }
}
