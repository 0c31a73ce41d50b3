using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Sweeps.Samplers;
using Microsoft.ML.VisionModels.Sweeps.Spaces;
using Microsoft.ML.VisionModels.Sweeps.Studies;

namespace Microsoft.ML.VisionModels.Tests;

public class StudyStoreTests
{
    private static readonly Space s_space = new([new("only", [new NumberDimension("x", 0, 1, 0.25), new NumberDimension("n", 1, 9, 3, IsInteger: true), new ChoiceDimension("c", ["a", 2, true], "a")])]);

    private static StudyStore Open(TestDatabase database, double heartbeatTimeout = 60) => StudyStore.Open(database.Storage, database.Study, s_space, "Score", higherIsBetter: true, heartbeatTimeout);

    private static Proposal Initial(SweepHistory history) => s_space.Branches[0].Initial;

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public void KeepsWhatItIsTold(string kind)
    {
        using var database = new TestDatabase(kind);
        using var store = Open(database);
        var trial = store.Claim("me", 2, Initial).Trial!;
        Assert.Equal((0, "only", SweepTrialState.Running, "me", 1), (trial.Number, trial.Candidate, trial.State, trial.Worker, trial.Attempts));
        Assert.Equal(new Dictionary<string, object> { ["x"] = 0.25, ["n"] = 3, ["c"] = "a" }, trial.Parameters);
        Assert.True(store.Report(trial, new(1, 0.5, 2.5)) && store.Report(trial, new(2, 0.75, 5)));
        Assert.True(store.Finish(trial, SweepTrialState.Complete, 0.8));

        var failed = store.Claim("me", 2, _ => new("only", new Dictionary<string, object> { ["x"] = 1e-9, ["n"] = 9, ["c"] = true })).Trial!;
        Assert.True(store.Finish(failed, SweepTrialState.Failed, null, "It's no use."));
        Assert.Equal(new Claim(null, false), store.Claim("me", 2, Initial));

        using var again = kind == "memory" ? null : Open(database);
        var trials = (again ?? store).Trials();
        Assert.Equal(2, trials.Count);
        Assert.Equal((SweepTrialState.Complete, 0.8), (trials[0].State, trials[0].Score));
        Assert.Equal([new(1, 0.5, 2.5), new(2, 0.75, 5)], trials[0].Epochs);
        Assert.Equal((SweepTrialState.Failed, null, "It's no use."), (trials[1].State, trials[1].Score, trials[1].Error));
        Assert.Equal(new Dictionary<string, object> { ["x"] = 1e-9, ["n"] = 9, ["c"] = true }, trials[1].Parameters);
        Assert.Equal(DateTimeOffset.UtcNow.UtcDateTime, trials[1].Started!.Value.UtcDateTime, TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public void ATrialGoesBackWhenItsWorkerIsSilent(string kind)
    {
        using var database = new TestDatabase(kind);
        using var store = Open(database, heartbeatTimeout: 1000);
        var first = store.Claim("one", 1, Initial).Trial!;
        store.Report(first, new(1, 0.5, 1));
        Assert.Equal(new Claim(null, true), store.Claim("two", 1, Initial));
        database.LetPass(seconds: 600);
        store.Beat(first);
        database.LetPass(seconds: 600);
        Assert.Equal(new Claim(null, true), store.Claim("two", 1, Initial));     // it lives
        database.LetPass(seconds: 600);
        var second = store.Claim("two", 1, Initial).Trial!;
        Assert.Equal((0, "two", 2), (second.Number, second.Worker, second.Attempts));

        // The one that was taken for dead comes back.
        Assert.False(store.Report(first, new(2, 0.6, 2)));
        Assert.False(store.Finish(first, SweepTrialState.Complete, 0.9));
        Assert.True(store.Finish(second, SweepTrialState.Complete, 0.7));
        Assert.False(store.Finish(second, SweepTrialState.Complete, 0.1));
        var trial = Assert.Single(store.Trials());
        Assert.Equal((0.7, "two"), (trial.Score, trial.Worker));
        Assert.Empty(trial.Epochs);
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public void ATrialThatKillsItsWorkersIsGivenUp(string kind)
    {
        using var database = new TestDatabase(kind);
        using var store = Open(database);
        var parts = Worker.NewName().Split('/');
        parts[2] = "2147483646";        // no process has this number
        var gone = string.Join('/', parts);
        for (var attempt = 1; attempt <= 5; attempt++)
            Assert.Equal(attempt, store.Claim(gone, 1, Initial).Trial!.Attempts);
        Assert.Equal(new Claim(null, false), store.Claim("me", 1, Initial));
        Assert.Contains("died 5 times", Assert.Single(store.Trials()).Error);
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public void ManyWorkersNeverHaveOneTrial(string kind)
    {
        using var database = new TestDatabase(kind);
        using var store = Open(database);
        var numbers = new System.Collections.Concurrent.ConcurrentBag<int>();
        var threads = Enumerable.Range(0, 8).Select(i => new Thread(() =>
        {
            while (store.Claim($"worker {i}", 60, Initial).Trial is { } trial)
            {
                store.Report(trial, new(1, 0.5, 1));
                if (store.Finish(trial, SweepTrialState.Complete, trial.Number))
                    numbers.Add(trial.Number);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Equal(Enumerable.Range(0, 60), numbers.Order());
        Assert.All(store.Trials(), trial => Assert.Equal((1, 1), (trial.Attempts, trial.Epochs.Count)));
    }

    [Fact]
    public void ALivingProcessIsNotGone()
    {
        Assert.False(Worker.IsGone(Worker.NewName()));
        Assert.False(Worker.IsGone("another machine/another boot/2147483646/0/1"));     // one can only wait
        Assert.False(Worker.IsGone("something else"));
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public void ATrialThatIsGivenBackCountsAsNotBegun(string kind)
    {
        using var database = new TestDatabase(kind);
        using var store = Open(database);
        for (var i = 0; i < 7; i++)
        {
            var trial = store.Claim("me", 1, Initial).Trial!;
            Assert.Equal((0, 1), (trial.Number, trial.Attempts));
            store.Release(trial);
            Assert.False(store.Finish(trial, SweepTrialState.Complete, 1));
        }
    }

    [Theory]
    [InlineData("study.db", true)]
    [InlineData("/a=b/study.db", true)]
    [InlineData("Host=db", false)]
    [InlineData(" server = db;Username=me", false)]
    [InlineData("Username=me;Server=db", false)]
    [InlineData("postgres://me@db/studies?sslmode=require", false)]
    public void FilesAndConnectionsAreToldApart(string storage, bool isFile) => Assert.Equal(isFile, Database.IsFile(storage));

    [Fact]
    public void AnotherSpaceIsAnotherStudy()
    {
        using var database = new TestDatabase("sqlite");
        Open(database).Dispose();
        var other = new Space([new("only", [new NumberDimension("x", 0, 2, 1)])]);
        var error = Assert.Throws<InvalidOperationException>(() => StudyStore.Open(database.Storage, database.Study, other, "Score", true));
        Assert.Contains(database.Study, error.Message);
        Assert.Throws<InvalidOperationException>(() => StudyStore.Open(database.Storage, database.Study, s_space, "Loss", false));
        var set = new Space([s_space.Branches[0] with { Fixed = new Dictionary<string, string?> { ["Epochs"] = "3" } }]);
        Assert.Throws<InvalidOperationException>(() => StudyStore.Open(database.Storage, database.Study, set, "Score", true));
        Assert.Throws<FileNotFoundException>(() => SweepStudy.Read(database.Storage + ".none"));
        Assert.Contains("no study 'none'", Assert.Throws<InvalidOperationException>(() => SweepStudy.Read(database.Storage!, "none")).Message);
    }
}
