using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Data.Sqlite;
using Microsoft.ML.VisionModels.Sweeps.Spaces;
using Microsoft.ML.VisionModels.Sweeps.Studies;
using Microsoft.ML.VisionModels.Tests.Core;

namespace Microsoft.ML.VisionModels.Tests;

/// <summary>Studies that can be read only, and those that cannot be read.</summary>
public partial class DamagedStudyTests
{
    private const string Endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS name, x AS space, x AS metric, x AS higher_is_better FROM n";

    public static TheoryData<string> Changes =>
    [
        "UPDATE study SET space = 'null'",
        "UPDATE study SET space = '{'",
        "UPDATE study SET space = '[]'",
        "UPDATE study SET space = '{\"Branches\":null}'",
        "UPDATE study SET space = '{\"Branches\":[]}'",
        "UPDATE study SET space = '{\"Branches\":[null]}'",
        "UPDATE study SET space = '{\"Branches\":[{\"Name\":\"only\",\"Dimensions\":[{\"Name\":\"x\"}]}]}'",
        "UPDATE study SET space = replace(space, '\"number\"', '\"hologram\"')",
        "UPDATE study SET space = replace(space, '\"Low\":0', '\"Low\":\"a\"')",
        "UPDATE study SET space = replace(space, '\"Low\":0', '\"Low\":9e999')",
        "UPDATE study SET space = replace(space, '\"Low\":0', '\"Low\":7')",
        "UPDATE study SET space = x'ff'",
        "UPDATE study SET higher_is_better = 9e18",
        "UPDATE trial SET state = 'Resting'",
        "UPDATE trial SET state = '77'",
        "UPDATE trial SET score = NULL",
        "UPDATE trial SET score = 9e999",
        "UPDATE trial SET score = 'much'",
        "UPDATE trial SET candidate = 'nobody'",
        "UPDATE trial SET parameters = 'null'",
        "UPDATE trial SET parameters = '{}'",
        "UPDATE trial SET parameters = '{\"x\":null}'",
        "UPDATE trial SET parameters = '{\"x\":[1]}'",
        "UPDATE trial SET parameters = '{\"x\":1,\"x\":2}'",
        "UPDATE trial SET parameters = '{\"x\":\"\\ud800\"}'",
        "UPDATE trial SET attempts = 'x'",
        "UPDATE trial SET number = 5000000000",
        "UPDATE trial SET started = 1e300",
        "UPDATE trial SET heartbeat = 1e300",
        "UPDATE epoch SET score = -9e999",
        "DROP TABLE epoch",
        "ALTER TABLE trial DROP COLUMN worker",
        $"DROP TABLE study; CREATE VIEW study AS {Endless}",
    ];

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task ADamagedStudyNamesItsFile(string sql)
    {
        using var folder = FileReader.Of("study.db").Sound();
        using (var connection = new SqliteConnection($"Data Source={folder.File("study.db")};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA foreign_keys = OFF;" + sql;
            command.ExecuteNonQuery();
        }
        await AssertRefused(folder.File("study.db"));
    }

    [Fact]
    public async Task BytesThatAreNoDatabaseNameTheirFile()
    {
        using var folder = FileReader.Of("study.db").Sound();
        var path = folder.File("study.db");
        var sound = File.ReadAllBytes(path);
        foreach (var bytes in new[] { sound[..^4096], sound[..100], [.. new byte[100], .. sound[100..]], [.. sound[..4096], .. new byte[sound.Length - 4096]], "a text"u8.ToArray() })
        {
            File.WriteAllBytes(path, bytes);
            await AssertRefused(path);
        }
    }

    [Fact]
    public void ASweepThatGoesOnNamesTheFileToo()
    {
        using var folder = FileReader.Of("study.db").Sound();
        File.WriteAllText(folder.File("study.db"), "a text");
        var error = Assert.Throws<InvalidDataException>(() => StudyStore.Open(folder.File("study.db"), "sweep", new Space([new("only", [])]), "Score", true));
        Assert.Contains("study.db", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderThatIsNotThereIsNamed()
    {
        using var folder = TestFolders.Temporary();
        var path = Path.Combine(folder.Path, "gone", "study.db");
        Assert.Contains(path, Assert.Throws<DirectoryNotFoundException>(() => StudyStore.Open(path, "sweep", new Space([new("only", [])]), "Score", true)).Message, StringComparison.Ordinal);
    }

    [Theory, SupportedOSPlatform("linux")]
    [InlineData(false)]
    [InlineData(true)]
    public void ReadingNeedsNoRightToWrite(bool isInUse)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Another user is taken on as Linux does it.");
        using var folder = FileReader.Of("study.db").Sound();
        var path = folder.File("study.db");
        var space = new Space([new("only", [new NumberDimension("x", 0, 1, 0.25)])]);
        using var worker = isInUse ? StudyStore.Open(path, "sweep", space, "Score", higherIsBetter: true) : null;
        worker?.Claim("me", 2, _ => space.Branches[0].Initial);
        foreach (var file in Directory.GetFiles(folder.Path))
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        var files = Directory.GetFiles(folder.Path);
        try
        {
            AsAnotherUser(() =>
            {
                Assert.Throws<UnauthorizedAccessException>(() => File.WriteAllText(folder.File("new"), ""));
                Assert.Equal(isInUse ? 2 : 1, SweepStudy.Read(path).Trials.Count);
            });
            Assert.Equal(files, Directory.GetFiles(folder.Path));
        }
        finally
        {
            File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static async Task AssertRefused(string path)
    {
        var error = await Task.Run(() => Record.Exception(() => SweepStudy.Read(path)), TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(typeof(InvalidDataException), error?.GetType());
        Assert.Contains(path, error!.Message, StringComparison.Ordinal);
    }

    /// <summary>Root may write everywhere; a thread of its can ask for files as another user, though.</summary>
    private static void AsAnotherUser(Action work)
    {
        Exception? error = null;
        var thread = new Thread(() =>
        {
            if (Environment.UserName == "root")
                _ = setfsuid(65534);
            error = Record.Exception(work);
        });
        thread.Start();
        thread.Join();
        Assert.Null(error);
    }

    [LibraryImport("libc")]
    private static partial int setfsuid(uint user);
}
