using System.Diagnostics;
using System.Text;

namespace Microsoft.ML.VisionModels.Tests.Core;

/// <summary>Files that are none, and texts that are none: every reader says so at once, by name.</summary>
public class InputFileTests
{
    private const string Pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0000000000000000000000000000000000000000000000000000000000000000\nsize 343240720\n";

    private static readonly Dictionary<string, Action<string>> s_odd = new()
    {
        ["a pipe"] = path => Process.Start("mkfifo", path).WaitForExit(),
        ["a device"] = path => File.CreateSymbolicLink(path, "/dev/zero"),
        ["a link to itself"] = path => File.CreateSymbolicLink(path, path),
        ["a link to nothing"] = path => File.CreateSymbolicLink(path, path + ".gone"),
        ["a folder"] = path => Directory.CreateDirectory(path),
        ["nothing"] = path => File.WriteAllBytes(path, []),
    };

    private static readonly Dictionary<string, Func<string, byte[]>> s_wrong = new()
    {
        ["a byte that is no UTF-8"] = text => [.. Encoding.UTF8.GetBytes(text[..(text.IndexOf('"') + 1)]), 0xFF, .. Encoding.UTF8.GetBytes(text[(text.IndexOf('"') + 1)..])],
        ["half a character"] = text => Encoding.UTF8.GetBytes("{\"\\ud800\":1," + text.TrimStart()[1..]),
        ["a hundred thousand brackets"] = _ => Encoding.UTF8.GetBytes(new string('[', 100_000)),
        ["null"] = _ => "null"u8.ToArray(),
        ["a list"] = _ => "[]"u8.ToArray(),
        ["half of it"] = text => Encoding.UTF8.GetBytes(text[..(text.Length / 2)]),
    };

    public static TheoryData<string, string> Odd => new(s_odd.Keys.SelectMany(what => FileReader.All.Select(reader => (reader.Name, what))));

    public static TheoryData<string, string> Wrong => new(s_wrong.Keys.SelectMany(what => FileReader.JsonNames.Select(row => (row.Data, what))));

    [Theory]
    [MemberData(nameof(FileReader.Names), MemberType = typeof(FileReader))]
    public void WhatIsSoundIsRead(string name)   // or the tests below would pass by failing for another reason
    {
        using var folder = FileReader.Of(name).Sound();
        FileReader.Of(name).Read(folder.Path);
    }

    [Theory]
    [MemberData(nameof(Odd))]
    public async Task WhatIsNoFileIsRefusedAtOnce(string name, string what)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() && what is "a pipe" or "a device", "Windows has no such files.");
        using var folder = FileReader.Of(name).Sound();
        File.Delete(folder.File(name));
        s_odd[what](folder.File(name));
        await AssertRefused(name, folder.Path);
    }

    [Theory]
    [MemberData(nameof(FileReader.Names), MemberType = typeof(FileReader))]
    public async Task AGitLfsPointerSaysWhatToDo(string name)
    {
        using var folder = FileReader.Of(name).Sound();
        File.WriteAllText(folder.File(name), Pointer);
        Assert.Contains("'git lfs pull'", await AssertRefused(name, folder.Path), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task WhatIsNoJsonIsRefused(string name, string what)
    {
        using var folder = FileReader.Of(name).Sound();
        File.WriteAllBytes(folder.File(name), s_wrong[what](File.ReadAllText(folder.File(name))));
        await AssertRefused(name, folder.Path);
    }

    [Theory]
    [InlineData("merges.txt")]
    [InlineData("labels.txt")]
    public async Task WhatIsNoTextIsRefusedWithItsLine(string name)
    {
        using var folder = FileReader.Of(name).Sound();
        File.WriteAllBytes(folder.File(name), [.. "c a\nd "u8, 0xE9, .. "\n"u8]);
        var message = await AssertRefused(name, folder.Path);
        Assert.Contains("line 2", message, StringComparison.Ordinal);
        Assert.Contains("0xe9", message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(FileReader.TextNames), MemberType = typeof(FileReader))]
    public void AMarkOfUtf8BeforeATextIsPassedOver(string name)
    {
        using var folder = FileReader.Of(name).Sound();
        File.WriteAllText(folder.File(name), File.ReadAllText(folder.File(name)), new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        FileReader.Of(name).Read(folder.Path);
    }

    private static async Task<string> AssertRefused(string name, string folder)
    {
        var reader = FileReader.Of(name);
        var reading = Task.Run(() => Record.Exception(() => reader.Read(folder)), TestContext.Current.CancellationToken);
        var error = await reading.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(reader.Error, error?.GetType());
        // A tokenizer in two files is named by both.
        Assert.Contains(name, error!.Message, StringComparison.Ordinal);
        return error.Message;
    }
}
