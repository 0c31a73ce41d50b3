using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Sweeps.Report;
using Microsoft.ML.VisionModels.Sweeps.Samplers;
using Microsoft.ML.VisionModels.Sweeps.Spaces;
using Microsoft.ML.VisionModels.Sweeps.Studies;

namespace Microsoft.ML.VisionModels.Tests;

public class SweepTests
{
    private readonly MLContext _context = new(seed: 1);

    private SweepResult Run(SweepOptions options, Func<ToySweep.Options, IEstimator<ITransformer>>? estimator = null)
    {
        options.Metric = ToySweep.Metric;
        return _context.Vision().Sweep(estimator ?? (o => ToySweep.Estimator(_context, o)), options).Run(ToySweep.Rows(_context), ToySweep.Rows(_context));
    }

    [Theory]
    [InlineData(SweepSampler.Tpe)]
    [InlineData(SweepSampler.Random)]
    [InlineData(SweepSampler.Refine)]
    public void BeginsWithTheInitialValuesAndGetsBetter(SweepSampler sampler)
    {
        using var result = Run(new() { Trials = 40, Sampler = sampler });
        Assert.Equal(40, result.Study.Trials.Count);
        Assert.Equal(0.2, result.Study.Trials[0].Score!.Value, 1e-6);                    // x = 0.9, kind A
        Assert.True(result.Best!.Score > 0.9);
        Assert.Equal("B", result.Best.Parameters["Kind"]);
        Assert.Equal(result.Study.Trials.Max(trial => trial.Score), result.Best.Score);

        // The model is the best trial's.
        Assert.Equal(result.Best.Score.Value, result.Model!.Transform(ToySweep.Rows(_context)).GetColumn<float>("Value").First(), 1e-6);
        Assert.Equal(result.Best.Score.Value, result.Refit(ToySweep.Rows(_context)).Transform(ToySweep.Rows(_context)).GetColumn<float>("Value").First(), 1e-6);
    }

    [Fact]
    public void TheSameSeedTriesTheSame()
    {
        using var one = Run(new() { Trials = 15 });
        using var two = Run(new() { Trials = 15 });
        using var other = Run(new() { Trials = 15, Seed = 7 });
        Assert.Equal(one.Study.Trials.Select(trial => trial.Score), two.Study.Trials.Select(trial => trial.Score));
        Assert.NotEqual(one.Study.Trials.Select(trial => trial.Score), other.Study.Trials.Select(trial => trial.Score));
    }

    [Fact]
    public void TheGridEndsByItself()
    {
        using var result = Run(new() { Trials = null, Sampler = SweepSampler.Grid, GridSteps = 5 });
        Assert.Equal(10, result.Study.Trials.Count);
        Assert.Equal(0.95, result.Best!.Score!.Value, 1e-6);     // x = 0.25, kind B
    }

    [Fact]
    public void FailuresAreKeptAndTheSweepGoesOn()
    {
        using var result = Run(new() { Trials = 20, Sampler = SweepSampler.Random }, o => o.Kind == ToySweep.Kind.A ? throw new OutOfMemoryException("too large")
            : ToySweep.Estimator(_context, new() { Kind = ToySweep.Kind.B, X = o.X > 0.5 ? double.NaN : o.X }));
        Assert.Equal(20, result.Study.Trials.Count);
        Assert.Contains(result.Study.Trials, trial => trial.State == SweepTrialState.Failed && trial.Error == "OutOfMemoryException: too large");
        Assert.Contains(result.Study.Trials, trial => trial.State == SweepTrialState.Failed && trial.Error!.Contains("NaN"));
        Assert.Equal("B", result.Best!.Parameters["Kind"]);
    }

    [Fact]
    public void WhatCanNeverSucceedEnds()
    {
        using var database = new TestDatabase("sqlite");
        var error = Assert.Throws<InvalidOperationException>(() => Run(new() { Trials = 50, Storage = database.Storage }, _ => throw new ArgumentException("There is no column 'Image'.")));
        Assert.Contains("first 5 trials failed", error.Message);
        Assert.Contains("There is no column 'Image'.", error.Message);
        Assert.IsType<ArgumentException>(error.InnerException);
        Assert.Equal(5, SweepStudy.Read(database.Storage!).Trials.Count);
    }

    [Fact]
    public void AScoreThatIsNeverANumberEnds()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Run(new() { Trials = 50 }, o => ToySweep.Estimator(_context, new() { X = double.NaN })));
        Assert.Contains("The Score is NaN", error.Message);
    }

    [Fact]
    public void WhatTheProgressThrowsIsNoFaultOfATrial()
    {
        using var database = new TestDatabase("sqlite");
        var options = new SweepOptions
        {
            Trials = 5, Storage = database.Storage,
            Progress = new Reports<SweepProgress>(progress =>
            {
                if (progress.Trial is { Number: 1, State: SweepTrialState.Running })
                    throw new InvalidDataException("not now");
            }),
        };
        Assert.Equal("not now", Assert.Throws<InvalidDataException>(() => Run(options)).Message);
        Assert.Equal([SweepTrialState.Complete, SweepTrialState.Waiting], SweepStudy.Read(database.Storage!).Trials.Select(trial => trial.State));
        options.Progress = null;
        using var result = Run(options);
        Assert.All(result.Study.Trials, trial => Assert.Equal((SweepTrialState.Complete, 1), (trial.State, trial.Attempts)));
    }

    [Fact]
    public void ValuesAreOfTheirOptionsKind()
    {
        using var database = new TestDatabase("sqlite");
        using var result = Run(new() { Trials = null, Sampler = SweepSampler.Grid, Storage = database.Storage });
        Assert.All(SweepStudy.Read(database.Storage!).Trials.Concat(result.Study.Trials), trial => Assert.IsType<double>(trial.Parameters["X"]));     // 0 and 1 too
    }

    [Fact]
    public void TheReportIsSafeAndTellsWhatMatters()
    {
        using var folder = TestFolders.Temporary();
        using var result = Run(new() { Trials = 40, Study = "<script>alert('1')</script>" }, o => o.X > 0.8 ? throw new InvalidDataException("<img src=x>") : ToySweep.Estimator(_context, o));
        result.Study.WriteReport(folder.File("report.html"));
        var page = File.ReadAllText(folder.File("report.html"));
        Assert.DoesNotContain("<script>", page);
        Assert.DoesNotContain("<img", page);
        Assert.Contains("what matters", page);

        // The second of two hyper-parameters has no part in it.
        var space = new Space([new("only", [new NumberDimension("x", 0, 1, 0), new NumberDimension("none", 0, 1, 0)])]);
        var random = new Random(1);
        var trials = Enumerable.Range(0, 60).Select(number => new RandomSampler().Propose(new(space, [], true), random) is var at
            ? new SweepTrial { Number = number, Candidate = "only", Parameters = at.Parameters, State = SweepTrialState.Complete, Score = -Math.Abs((double)at.Parameters["x"] - 0.3) } : null!).ToArray();
        var shares = ParameterImportance.Of(space.Branches[0].Dimensions, [.. new SweepHistory(space, trials, true).Ranked]);
        Assert.Equal("x", shares[0].Name);
        Assert.True(shares[0].Share > 2 * shares[1].Share, $"{shares[0].Share}");
    }

    [Theory]
    [InlineData(SweepTrialState.Pruned)]
    [InlineData(SweepTrialState.Stopped)]
    public void CurvesOfTrialsThatEndedEarlyAreDashed(SweepTrialState state)
    {
        using var folder = TestFolders.Temporary();
        var branch = new Branch("only", [new NumberDimension("x", 0, 1, 0.25)]);
        using var store = StudyStore.Open(null, "study", new([branch]), "Score", higherIsBetter: true);
        foreach (var (end, score) in new[] { (SweepTrialState.Complete, 0.9), (SweepTrialState.Complete, 0.8), (state, 0.7) })
        {
            var trial = store.Begin("me", branch.Initial);
            Assert.True(store.Report(trial, new(1, score / 2, 1)) && store.Report(trial, new(2, score, 2)) && store.Finish(trial, end, score));
        }
        new SweepStudy(store).WriteReport(folder.File("report.html"));
        var page = File.ReadAllText(folder.File("report.html"));
        Assert.Equal(1, page.Split("class='line early'").Length - 1);
    }

    [Fact]
    public void AFinishedStudyIsRead()
    {
        using var database = new TestDatabase("sqlite");
        double? best;
        using (var first = Run(new() { Trials = 6, Storage = database.Storage }))
            best = first.Best!.Score;
        using var second = Run(new() { Trials = 9, Storage = database.Storage }, o => throw new InvalidDataException());
        Assert.Equal([6, 3], second.Study.Trials.CountBy(trial => trial.State).OrderBy(count => count.Key).Select(count => count.Value));
        Assert.Equal(best, second.Best!.Score);
        Assert.Null(second.Model);      // the first run had it
    }

    [Fact]
    public void TheBestModelIsKeptInItsFile()
    {
        using var folder = TestFolders.Temporary();
        var path = folder.File(Path.Combine("models", "best.zip"));
        var options = new SweepOptions { Trials = 5, ModelPath = path, Metric = SweepMetric.Of("Rows", (_, scored) => scored.GetColumn<float>("Copy").Count()) };
        using var result = _context.Vision().Sweep((ToySweep.Options o) => _context.Transforms.CopyColumns("Copy", "Value"), options)
            .Run(ToySweep.Rows(_context), ToySweep.Rows(_context));
        Assert.NotNull(_context.Model.Load(path, out _).GetOutputSchema(ToySweep.Rows(_context).Schema).GetColumnOrNull("Copy"));
        Assert.Equal([path], Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(SweepSampler.Tpe)]
    [InlineData(SweepSampler.Refine)]
    public void ALossIsMadeSmall(SweepSampler sampler)
    {
        var loss = SweepMetric.Of("Loss", (_, scored) => 1 - scored.GetColumn<float>("Value").Average(), higherIsBetter: false);
        using var result = _context.Vision().Sweep((ToySweep.Options o) => ToySweep.Estimator(_context, o), new() { Trials = 40, Metric = loss, Sampler = sampler }).Run(ToySweep.Rows(_context), ToySweep.Rows(_context));
        Assert.True(result.Best!.Score < 0.1);
        Assert.Equal(result.Study.Trials.Min(trial => trial.Score), result.Best.Score);
    }

    [Fact]
    public void CandidatesAreChosenAmong()
    {
        var good = SweepCandidate.Of((ToySweep.Options o) => ToySweep.Estimator(_context, o), "good").Fix(o => o.Kind, ToySweep.Kind.B);
        var bad = SweepCandidate.Of((ToySweep.Options o) => ToySweep.Estimator(_context, o), "bad").Fix(o => o.Kind, ToySweep.Kind.A);
        using var result = _context.Vision().Sweep(new SweepOptions { Trials = 60, Metric = ToySweep.Metric }, good, bad).Run(ToySweep.Rows(_context), ToySweep.Rows(_context));
        Assert.Equal(["good", "bad"], result.Study.Trials.Take(2).Select(trial => trial.Candidate));
        Assert.Equal("good", result.Best!.Candidate);
        Assert.Equal(["X"], result.Best.Parameters.Keys);
        Assert.True(result.Study.Trials.Skip(30).Count(trial => trial.Candidate == "good") > 20);
        Assert.Contains("'good'", Assert.Throws<ArgumentException>(() => _context.Vision().Sweep(new SweepOptions(), good, good)).Message);
    }

    [Fact]
    public void FoldsAreAveraged()
    {
        var rows = _context.Data.LoadFromEnumerable(Enumerable.Range(0, 30).Select(i => new ToySweep.Row { Value = i }).ToList());
        var fits = 0;
        using var result = _context.Vision().Sweep((ToySweep.Options o) =>
        {
            fits++;
            return ToySweep.Estimator(_context, o);
        }, new() { Trials = 4, Metric = SweepMetric.Of("Rows", (_, scored) => scored.GetColumn<float>("Value").Count()) }).CrossValidate(rows, folds: 3);
        Assert.Equal(4 * 3 + 1, fits);      // and once on all rows
        Assert.NotNull(result.Model);
        Assert.Equal(10, result.Study.Trials[0].Score!.Value, 1e-9);    // no fold has exactly a third of the rows
    }

    [Fact]
    public void TimeAndCancellationEndIt()
    {
        using var result = Run(new() { Trials = null, Minutes = 0.1 }, o =>
        {
            Thread.Sleep(50);
            return ToySweep.Estimator(_context, o);
        });
        Assert.True(result.Study.Trials.Count >= 2);
        Assert.NotNull(result.Model);

        using var stop = new CancellationTokenSource();
        var options = new SweepOptions { Trials = null, Minutes = 10, CancellationToken = stop.Token };
        using var canceled = Run(options, o =>
        {
            if (o.Kind == ToySweep.Kind.B)
                stop.Cancel();
            return ToySweep.Estimator(_context, o);
        });
        Assert.NotNull(canceled.Model);
        Assert.Equal(SweepTrialState.Complete, canceled.Study.Trials[^1].State);     // it was quick enough
    }

    [Fact]
    public void TheTableOfTrialsGoesIntoSpreadsheets()
    {
        using var folder = TestFolders.Temporary();
        using var result = Run(new() { Trials = 8 }, o => o.X < 0.5 ? throw new InvalidDataException("a, \"b\"") : ToySweep.Estimator(_context, o));
        result.Study.WriteCsv(folder.File("trials.csv"));
        var lines = File.ReadAllLines(folder.File("trials.csv"));
        Assert.Equal("number,candidate,state,score,epochs,held-out score,seconds,Kind,X,error", lines[0]);
        Assert.StartsWith("0,Options,Complete,0.2", lines[1]);
        Assert.Contains("\"InvalidDataException: a, \"\"b\"\"\"", string.Concat(lines));
        Assert.Equal(9, lines.Length);
    }

    [Theory]
    [MemberData(nameof(Unusable))]
    public void AnUnusableOptionIsNamed(string name, Action<SweepOptions> set)
    {
        var options = new SweepOptions();
        set(options);
        Assert.Contains(name, Assert.ThrowsAny<ArgumentException>(() => Run(options)).Message);
    }

    public static TheoryData<string, Action<SweepOptions>> Unusable => new()
    {
        { "Trials", options => options.Trials = 0 },
        { "Minutes", options => options.Minutes = 0 },
        { "never end", options => options.Trials = null },
        { "GridSteps", options => options.GridSteps = 0 },
        { "Workers", options => options.Workers = 0 },
        { "Study", options => options.Study = " " },
        { "Sampler", options => options.Sampler = (SweepSampler)9 },
        { "Pruner", options => options.Pruner = (SweepPruner)9 },
    };

    [Fact]
    public void SpacesAreReadAndChanged()
    {
        var candidate = SweepCandidate.Of((ToySweep.Options o) => ToySweep.Estimator(_context, o));
        Assert.Equal(("Options", 2), (candidate.Name, candidate.Branch.Dimensions.Count));
        candidate.Only(o => o.X).Range(o => o.X, 0.1, 0.4, initial: 0.2).Choice(o => o.Note, "p", "q");
        Assert.Equal([new ChoiceDimension("Note", candidate.Branch.Dimensions[0] is ChoiceDimension c ? c.Values : [], "p"), new NumberDimension("X", 0.1, 0.4, 0.2)], candidate.Branch.Dimensions);
        Assert.Contains("Note", Assert.Throws<ArgumentException>(() => SweepCandidate.Of((ToySweep.Options o) => ToySweep.Estimator(_context, o)).Only(o => o.Note)).Message);
        Assert.Contains("0.5", Assert.Throws<ArgumentException>(() => candidate.Range(o => o.X, 0.5, 0.4)).Message);
        Assert.Contains("above 0", Assert.Throws<ArgumentException>(() => candidate.Range(o => o.X, 0, 0.4, logarithmic: true)).Message);
        Assert.Contains("Note", Assert.Throws<ArgumentException>(() => candidate.Range(o => o.Note, 0, 1)).Message);
        Assert.Contains("names no option", Assert.Throws<ArgumentException>(() => candidate.Fix(o => o.X + 1, 2)).Message);
        Assert.Equal(["Note"], candidate.Leave(o => o.X).Branch.Dimensions.Select(dimension => dimension.Name));
    }
}
