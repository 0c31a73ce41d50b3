namespace Microsoft.ML.VisionModels.Tests.Samples;

/// <summary>What the samples say of their options: all read them in the same way.</summary>
public class CommandLineTests
{
    [Theory]
    [InlineData("--nope 1", "Unknown option '--nope'. --help lists the options.")]
    [InlineData("--nope", "Unknown option '--nope'. --help lists the options.")]
    [InlineData("-- nope", "Unknown option 'nope'. --help lists the options.")]
    [InlineData("nope", "Unknown command 'nope'. --help lists the options.")]
    [InlineData("--index", "Option 'index' is defined but no value has been provided. --help lists the options.")]
    [InlineData("--index --port 1", "Option 'index' is defined but no value has been provided. --help lists the options.")]
    [InlineData("--port 0", "'0' is no whole number above 0.")]
    [InlineData("--port -1", "'-1' is no whole number above 0.")]
    [InlineData("--port [red]", "'[red]' is no whole number above 0.")]
    [InlineData("--data nowhere --checkpoint .", "--data: there is no folder 'nowhere'.")]
    [InlineData("--data .", "--data and --checkpoint go together. --help lists the options.")]
    public async Task AWrongOptionIsOneLine(string arguments, string expected)
    {
        var (exitCode, output) = await Run(arguments.Split(' '));
        Assert.Equal(1, exitCode);
        Assert.Equal([expected], output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task HelpTellsOfAllOptions()
    {
        var (exitCode, output) = await Run("--help");
        Assert.Equal(0, exitCode);
        Assert.Contains("dotnet run --project samples/ImageSearch -c Release -- [OPTIONS]", output);
        foreach (var option in new[] { "--help", "--data <FOLDER>", "--checkpoint <FOLDER>", "--tokenizer <FOLDER>", "--index <FILE>", "--port <N>", "--device <NAME>" })
            Assert.Contains(option, output);
        Assert.Matches(@"--port <N> +5080 +the page is http://localhost:N", output);
    }

    private static async Task<(int ExitCode, string Output)> Run(params string[] arguments)
    {
        using var program = TestProgram.Start("ImageSearchProgram", arguments);
        var output = await program.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        return (await program.ExitCode(), output.ReplaceLineEndings("\n"));
    }
}
