import Files
import Foundation
import TestSupport
import Testing

private struct Interruption: Error {}

@Suite struct AtomicWriteTests {
    // MARK: Files

    @Test func aFileIsReplacedWhole() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.txt")
            try AtomicFile.write(Data("old".utf8), to: url)
            #expect(throws: Interruption.self) {
                try AtomicFile.write(to: url) { sink in
                    try sink.write("half".utf8)
                    throw Interruption()
                }
            }
            #expect(try text(url) == "old")
            try AtomicFile.write(Data("new".utf8), to: url, durably: false)
            #expect(try text(url) == "new")
            #expect(try contents(folder) == ["a.txt"])
        }
    }

    @Test func theRemainsOfAKilledWriteAreTakenOver() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.txt")
            try Data("a long half-written text".utf8).write(to: folder.appendingPathComponent(".a.txt.partial"))
            try AtomicFile.write(Data("new".utf8), to: url)
            #expect(try text(url) == "new")
            #expect(try contents(folder) == ["a.txt"])
        }
    }

    @Test func twoWritersDoNotMix() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.txt")
            try AtomicFile.write(to: url) { sink in
                let got = error(StorageError.self) { try AtomicFile.write(Data("other".utf8), to: url) }
                #expect(got == .inUse(path: url.path))
                try sink.write("mine".utf8)
            }
            #expect(try text(url) == "mine")
        }
    }

    @Test func whatALinkLeadsToIsLeftAlone() throws {
        try withTemporaryFolder { folder in
            let real = folder.appendingPathComponent("real")
            try FileManager.default.createDirectory(at: real, withIntermediateDirectories: false)
            let precious = real.appendingPathComponent("a.txt")
            try Data("old".utf8).write(to: precious)
            let link = folder.appendingPathComponent("link")
            for destination in ["real/a.txt", "real", "nowhere"] {
                try? FileManager.default.removeItem(at: link)
                try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: destination)
                let refused = StorageError.link(path: link.path)
                #expect(error(StorageError.self) { try AtomicFile.write(Data("new".utf8), to: link) } == refused)
                #expect(error(StorageError.self) { try write("new", to: link) } == refused)
                #expect(error(StorageError.self) { try GrowingFile.append("new".utf8, to: link) } == refused)
                #expect(
                    error(StorageError.self) {
                        try OutputFolder.prepare(link, overwriting: true, followingLinks: false)
                    } == refused)
                try AtomicFolder.remove(link)
                #expect(try contents(folder) == ["real"])
                #expect(try text(precious) == "old" && contents(real) == ["a.txt"])
            }
            // One that the user names leads to a folder that is the user's choice.
            try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "real")
            #expect(try !OutputFolder.prepare(link, overwriting: true))
        }
    }

    /// The hidden name under which something is to be built may be a link to something else, or another's file.
    @Test func whatHasTheHiddenNameIsNotWrittenInto() throws {
        try withTemporaryFolder { folder in
            let precious = folder.appendingPathComponent("precious")
            try Data("old".utf8).write(to: precious)
            let others = folder.appendingPathComponent("others")
            try write("old", to: others)
            let manager = FileManager.default
            let ways: [(URL) throws -> Void] = [
                { try manager.linkItem(at: precious, to: $0) },
                { try manager.createSymbolicLink(at: $0, withDestinationURL: precious) },
                { try manager.createSymbolicLink(at: $0, withDestinationURL: others) },
                { #expect(mkfifo($0.path, 0o600) == 0) },
            ]
            for way in ways {
                try way(folder.appendingPathComponent(".a.partial"))
                try AtomicFile.write(Data("new".utf8), to: folder.appendingPathComponent("a"))
                try way(folder.appendingPathComponent(".b.partial"))
                try write("new", to: folder.appendingPathComponent("b"))
                #expect(try text(precious) == "old" && content(others) == "old")
                #expect(try text(folder.appendingPathComponent("a")) == "new")
                #expect(try content(folder.appendingPathComponent("b")) == "new")
                #expect(try contents(folder) == ["a", "b", "others", "precious"])
            }
            try manager.createDirectory(
                at: folder.appendingPathComponent(".a.partial"), withIntermediateDirectories: false)
            let got = error(StorageError.self) { try AtomicFile.write(Data(), to: folder.appendingPathComponent("a")) }
            #expect(got?.path == folder.path + "/a" && got?.reason.contains(".a.partial") == true)
        }
    }

    /// Another name of the output keeps what it has.
    @Test func aHardLinkAtTheOutputKeepsItsContent() throws {
        try withTemporaryFolder { folder in
            let (url, other) = (folder.appendingPathComponent("a"), folder.appendingPathComponent("other"))
            try Data("old".utf8).write(to: other)
            try FileManager.default.linkItem(at: other, to: url)
            try AtomicFile.write(Data("new".utf8), to: url)
            #expect(try text(other) == "old" && text(url) == "new")
        }
    }

    @Test func placesThatCannotBeWritten() throws {
        try withTemporaryFolder { folder in
            let data = Data("x".utf8)
            #expect(
                error(StorageError.self) { try AtomicFile.write(data, to: folder) }
                    == .notARegularFile(path: folder.path))
            let orphan = folder.appendingPathComponent("no/a.txt")
            let got = error(StorageError.self) { try AtomicFile.write(data, to: orphan) }
            #expect(got == .missing(path: folder.appendingPathComponent("no").path))
            let device = URL(fileURLWithPath: "/dev/null")
            #expect(
                error(StorageError.self) { try AtomicFile.write(data, to: device) }
                    == .notARegularFile(path: "/dev/null"))
            let long = folder.appendingPathComponent(String(repeating: "x", count: 300))
            #expect(throws: StorageError.self) { try AtomicFile.write(data, to: long) }
            let left = try contents(folder)
            #expect(left == [])
        }
    }

    @Test func aFullDeviceIsOneClearError() throws {
        let descriptor = open("/dev/full", O_WRONLY)
        try #require(descriptor >= 0)
        let sink = FileSink(descriptor: descriptor, path: "out/model.safetensors")
        let got = error(StorageError.self) { try sink.write([1, 2, 3]) }
        #expect(got == .noSpace(path: "out/model.safetensors"))
        #expect(got.map(String.init(describing:))?.contains("no space is left") == true)
    }

    @Test(.enabled(if: geteuid() != 0, "permissions do not bind the superuser"))
    func aReadOnlyFolder() throws {
        try withTemporaryFolder { folder in
            try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.path)
            defer { try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path) }
            let url = folder.appendingPathComponent("a")
            #expect(throws: StorageError.self) { try AtomicFile.write(Data(), to: url) }
            #expect(throws: StorageError.self) { try AtomicFolder.write(to: url) { _ in } }
            #expect(throws: StorageError.self) { try OutputFolder.prepare(folder, overwriting: true) }
            #expect(throws: StorageError.self) { try OutputFolder.prepare(url, overwriting: true) }
        }
    }

    /// The kernel's own file systems let not even the superuser make files.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self")))
    func aFolderThatTakesNoFiles() {
        let url = URL(fileURLWithPath: "/proc/diffprune-test")
        #expect(throws: StorageError.self) { try AtomicFile.write(Data(), to: url) }
        #expect(throws: StorageError.self) { try AtomicFolder.write(to: url) { _ in } }
        #expect(throws: StorageError.self) { try OutputFolder.prepare(url, overwriting: false) }
        #expect(throws: StorageError.self) {
            try OutputFolder.prepare(URL(fileURLWithPath: "/proc"), overwriting: true)
        }
    }

    // MARK: Folders

    private func write(_ content: String, to url: URL) throws {
        try AtomicFolder.write(to: url) { try Data(content.utf8).write(to: $0.appendingPathComponent("content")) }
    }

    private func content(_ url: URL) throws -> String { try text(url.appendingPathComponent("content")) }

    @Test func aFolderIsReplacedWhole() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("model")
            try write("old", to: url)
            try Data().write(to: url.appendingPathComponent("only in the old one"))
            #expect(throws: Interruption.self) {
                try AtomicFolder.write(to: url) { partial in
                    try Data("half".utf8).write(to: partial.appendingPathComponent("content"))
                    throw Interruption()
                }
            }
            #expect(try content(url) == "old")
            #expect(try contents(folder) == ["model"])
            try write("new", to: url)
            #expect(try contents(url) == ["content"])
            #expect(try content(url) == "new")
            #expect(try contents(folder) == ["model"])
            #expect(try AtomicFolder.write(to: url) { _ in 7 } == 7)
        }
    }

    @Test func errorsNameTheFolderAskedForNotTheTemporary() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("model")
            let got = error(StorageError.self) {
                try AtomicFolder.write(to: url) { partial in
                    throw StorageError.noSpace(path: partial.appendingPathComponent("unet/config.json").path)
                }
            }
            #expect(got == .noSpace(path: url.appendingPathComponent("unet/config.json").path))
        }
    }

    /// Every state that a kill can leave behind, given as folders and what they hold.
    @Test(arguments: [
        (["model", ".model.partial"], "old"),
        ([".model.retired", ".model.partial"], "old"),
        ([".model.retired"], "old"),
        (["model", ".model.retired"], "old"),
        (["model"], "old"),
    ])
    func aKilledReplacementLosesNothing(_ state: [String], _ expected: String) throws {
        try withTemporaryFolder { folder in
            func make() throws {
                for name in state {
                    let url = folder.appendingPathComponent(name)
                    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
                    let isCurrent = name == "model" || (name == ".model.retired" && !state.contains("model"))
                    try Data((isCurrent ? "old" : "half").utf8).write(to: url.appendingPathComponent("content"))
                }
            }
            let url = folder.appendingPathComponent("model")
            try make()
            try AtomicFolder.recover(url)
            #expect(try content(url) == expected)
            #expect(try contents(folder) == ["model"])
            try FileManager.default.removeItem(at: url)

            try make()
            #expect(throws: Interruption.self) { try AtomicFolder.write(to: url) { _ in throw Interruption() } }
            #expect(try content(url) == expected)
            try write("new", to: url)
            #expect(try content(url) == "new")
            #expect(try contents(folder) == ["model"])
        }
    }

    @Test func aFolderInTheMakingIsLeftAlone() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("model")
            try AtomicFolder.write(to: url) { partial in
                try Data("mine".utf8).write(to: partial.appendingPathComponent("content"))
                try AtomicFolder.recover(url)
                #expect(error(StorageError.self) { try write("other", to: url) } == .inUse(path: url.path))
            }
            #expect(try content(url) == "mine")
        }
    }

    @Test func removal() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("model")
            try AtomicFolder.remove(url)
            try write("x", to: url)
            try AtomicFolder.remove(url)
            #expect(try contents(folder) == [])
            try Data().write(to: url)
            #expect(error(StorageError.self) { try AtomicFolder.remove(url) } == .notAFolder(path: url.path))
            #expect(error(StorageError.self) { try write("x", to: url) } == .notAFolder(path: url.path))
        }
    }

    // MARK: Output folders

    @Test func oneProcessAtATimeHoldsAFolder() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a/b")
            try OutputFolder.claiming(url, overwriting: false) {
                let refused = error(StorageError.self) { _ = try OutputFolder.claim(url, overwriting: false) }
                #expect(refused == .inUse(path: url.path))
                // Whoever was refused must not take the folder away, empty as it is.
                FolderLock.removeEmpty(url)
                let there = try contents(folder.appendingPathComponent("a"))
                #expect(there == ["b"])
            }
            FolderLock.removeEmpty(url)
            #expect(try contents(folder.appendingPathComponent("a")) == [])
            try OutputFolder.claiming(url, overwriting: false) {
                FolderLock.removeEmpty(url, ending: true)
                let there = try contents(folder.appendingPathComponent("a"))
                #expect(there == [])
            }
        }
    }

    /// As a kill in the midst of trying, or an older program, leaves it.
    @Test func remainsOfATrialDoNoHarm() throws {
        try withTemporaryFolder { folder in
            let precious = folder.appendingPathComponent("precious")
            try Data("old".utf8).write(to: precious)
            try FileManager.default.linkItem(at: precious, to: folder.appendingPathComponent(".write-test"))
            try OutputFolder.prepare(folder, overwriting: true)
            #expect(try text(precious) == "old")
            try FileManager.default.removeItem(at: folder.appendingPathComponent(".write-test"))
            try OutputFolder.prepare(folder, overwriting: true)
            #expect(try contents(folder) == ["precious"])
        }
    }

    @Test func outputFolders() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a/b/c")
            #expect(try OutputFolder.prepare(url, overwriting: false))
            #expect(try !OutputFolder.prepare(url, overwriting: false))
            #expect(try contents(url) == [])
            let file = url.appendingPathComponent("f")
            try Data().write(to: file)
            let got = error(StorageError.self) { try OutputFolder.prepare(url, overwriting: false) }
            #expect(got == .folderNotEmpty(path: url.path))
            #expect(try !OutputFolder.prepare(url, overwriting: true))
            #expect(try contents(url) == ["f"])
            #expect(
                error(StorageError.self) { try OutputFolder.prepare(file, overwriting: true) }
                    == .notAFolder(path: file.path))
            let below = file.appendingPathComponent("g")
            #expect(
                error(StorageError.self) { try OutputFolder.prepare(below, overwriting: true) }
                    == .notAFolder(path: below.path))
            let dangling = folder.appendingPathComponent("dangling")
            try FileManager.default.createSymbolicLink(atPath: dangling.path, withDestinationPath: "nowhere")
            #expect(throws: StorageError.self) { try OutputFolder.prepare(dangling, overwriting: true) }
        }
    }
}
