using Microsoft.ML.VisionModels.Tests.Contract;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels.Tests.Training;

public class ResumeAfterKillTests
{
    /// <summary>Killed in the first epoch, between two snapshots, right after one, and at an epoch's end; and killed twice.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(6)]
    [InlineData(10)]
    [InlineData(4, 13)]
    public async Task AKilledTrainingEndsWithTheWeightsOfAnUninterruptedOne(params int[] killedAfterSteps)
    {
        await EndsAlike(null, killedAfterSteps);
    }

    /// <summary>The teacher, its center, the statistics of batch norms and all schedules go on too.</summary>
    [Theory]
    [InlineData("Byol", 7)]
    [InlineData("Dino", 4, 11)]
    [InlineData("Mae", 10)]
    public async Task AKilledPreTrainingDoes(string method, params int[] killedAfterSteps) => await EndsAlike(method, killedAfterSteps);

    /// <summary>The average of the weights goes on, and the random numbers of times, noise and what is withheld.</summary>
    [Theory]
    [InlineData(7)]
    [InlineData(4, 11)]
    public async Task AKilledDiffusionTrainingDoes(params int[] killedAfterSteps) => await EndsAlike("Diffusion", killedAfterSteps);

    private static async Task EndsAlike(string? method, int[] killedAfterSteps)
    {
        using var folder = TestFolders.Temporary();
        var steps = await Train(folder, "whole.zip", "whole", method);
        Assert.Equal(20, steps.Max());  // 40 images, of which 4 are held out: five steps, or four of full batches

        foreach (var kill in killedAfterSteps)
            Assert.Equal(kill, (await Train(folder, "resumed.zip", "resumed", method, kill)).Max());
        Assert.False(File.Exists(folder.File("resumed.zip")));
        Assert.Equal(killedAfterSteps[^1] > 3, File.Exists(folder.File(Path.Combine("resumed", Snapshots.FileName))));

        var rest = await Train(folder, "resumed.zip", "resumed", method);
        var kept = killedAfterSteps[^1] / 3 * 3;
        Assert.Equal(kept + 1, rest.Min());     // not from the beginning
        Assert.Equal(ModelZip.Entries(folder.File("whole.zip")), ModelZip.Entries(folder.File("resumed.zip")));
        Assert.Empty(Directory.GetFiles(folder.File("resumed")));
    }

    /// <summary>Runs the program until its end, or kills it when it says that a step is done. Gives the steps that it told of.</summary>
    private static async Task<List<int>> Train(TestFolders.TemporaryFolder folder, string model, string snapshots, string? method, int? killAfter = null)
    {
        using var program = TestProgram.Start("TrainProgram", [folder.File(model), folder.File(snapshots), .. method is null ? Array.Empty<string>() : [method]]);
        var steps = new List<int>();
        while (await program.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            steps.Add(int.Parse(line));
            if (steps[^1] >= killAfter)
            {
                await program.Kill();
                return steps;
            }
            await program.StandardInput.WriteLineAsync("go on");
            await program.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
        }
        await program.AssertSuccess();
        return steps;
    }
}
