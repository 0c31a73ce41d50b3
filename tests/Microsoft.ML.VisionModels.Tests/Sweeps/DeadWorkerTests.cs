using Microsoft.ML.VisionModels.Sweeps.Spaces;
using Microsoft.ML.VisionModels.Sweeps.Studies;
using Npgsql;

namespace Microsoft.ML.VisionModels.Tests;

/// <summary>Workers in processes of their own, of which one after the other is killed.</summary>
public class DeadWorkerTests
{
    private const string Program = "SweepProgram";

    [Fact]
    public async Task AKilledSweepLosesTheRunningTrialAtMost()
    {
        using var database = new TestDatabase("sqlite");
        string[] arguments = [database.Storage!, database.Study, "12", "100"];
        using (var first = TestProgram.Start(Program, arguments))
        {
            while (await first.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line && line != "5")
            {
            }
            await first.Kill();
        }
        var before = SweepStudy.Read(database.Storage!, database.Study).Trials;
        Assert.True(before.Count(trial => trial.State == SweepTrialState.Complete) >= 5);

        using (var second = TestProgram.Start(Program, arguments))
        {
            await second.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await second.AssertSuccess();
        }
        var after = SweepStudy.Read(database.Storage!, database.Study).Trials;
        Assert.Equal(12, after.Count(trial => trial.State == SweepTrialState.Complete));
        Assert.All(before.Where(trial => trial.State == SweepTrialState.Complete), trial => Assert.Equal((trial.Score, 1), (after[trial.Number].Score, after[trial.Number].Attempts)));
    }

    /// <summary>Three workers of one study; one of them is killed at a random moment, and replaced, twenty times.</summary>
    [Fact]
    public async Task EveryTrialIsFinishedOnceWhoeverDies()
    {
        using var database = new TestDatabase("postgres");
        const int Trials = 200;
        using var source = NpgsqlDataSource.Create(database.Storage!);
        MakeTables(database);
        // The database itself counts how often a trial ends.
        var trigger = $"ended_{Guid.NewGuid():N}";
        Execute(source, $"""
            CREATE TABLE {trigger} (number INTEGER);
            CREATE FUNCTION {trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO {trigger} VALUES (NEW.number); RETURN NEW; END $$;
            CREATE TRIGGER {trigger} AFTER UPDATE ON trial FOR EACH ROW WHEN (NEW.study = '{database.Study}' AND NEW.state IN ('Complete', 'Failed') AND OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION {trigger}();
            """);
        var workers = Enumerable.Range(0, 3).Select(_ => Start()).ToArray();
        try
        {
            var random = new Random(1);
            for (var kill = 0; kill < 20; kill++)
            {
                // Wherever it is: in a trial, at its end, at the next one's beginning.
                var victim = random.Next(3);
                await workers[victim].StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
                await Task.Delay(random.Next(600), TestContext.Current.CancellationToken);
                await workers[victim].Kill();
                workers[victim].Dispose();
                workers[victim] = Start();
            }
            foreach (var worker in workers)
                await worker.AssertSuccess();

            var study = SweepStudy.Read(database.Storage!, database.Study);
            Assert.Equal(Enumerable.Range(0, Trials), study.Trials.Select(trial => trial.Number));
            Assert.All(study.Trials, trial => Assert.Equal(SweepTrialState.Complete, trial.State));
            var ended = new List<int>();
            using (var reader = source.CreateCommand($"SELECT number FROM {trigger} ORDER BY number").ExecuteReader())
            {
                while (reader.Read())
                    ended.Add(reader.GetInt32(0));
            }
            Assert.Equal(Enumerable.Range(0, Trials), ended);

            Assert.Contains(study.Trials, trial => trial.Attempts > 1);

            // The best is the same as from the hyper-parameters in the table.
            var scores = study.Trials.Select(trial => ToySweep.Score(new() { X = (double)trial.Parameters["X"], Kind = Enum.Parse<ToySweep.Kind>((string)trial.Parameters["Kind"]) })).ToArray();
            Assert.Equal(Array.IndexOf(scores, scores.Max()), study.Best!.Number);
            Assert.Equal(scores.Max(), study.Best.Score!.Value, 1e-6);
            TestContext.Current.TestOutputHelper!.WriteLine($"{study.Trials.Count(trial => trial.Attempts > 1)} trials were begun again, one of them {study.Trials.Max(trial => trial.Attempts)} times in all");
        }
        finally
        {
            foreach (var worker in workers)
                worker.Dispose();
            Execute(source, $"DROP TRIGGER {trigger} ON trial; DROP FUNCTION {trigger}; DROP TABLE {trigger}");
        }

        TestProgram Start() => TestProgram.Start(Program, database.Storage!, database.Study, $"{Trials}", "300");
    }

    private static void MakeTables(TestDatabase database) => StudyStore.Open(database.Storage, "tables", new Space([new Branch("none", [])]), "none", higherIsBetter: true).Dispose();

    private static void Execute(NpgsqlDataSource source, string sql)
    {
        using var command = source.CreateCommand(sql);
        command.ExecuteNonQuery();
    }
}
