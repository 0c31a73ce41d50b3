using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Data;

namespace Microsoft.ML.VisionModels.Tests.Lifetime;

/// <summary>What the process takes while something is done often, and whether it was disposed of each time or left to the garbage collector.</summary>
internal static class Memory
{
    private static readonly (string What, int Times)[] s_works = [("predictions", 3000), ("passes", 300), ("fits", 50), ("loads", 200)];

    /// <summary>Does each work in two processes of its own, with and without disposing.</summary>
    public static int Run()
    {
        var folder = Directory.CreateTempSubdirectory("memory-");
        try
        {
            var model = Path.Combine(folder.FullName, "model.zip");
            using (var trained = Fit())
                Context().Model.Save(trained, null, model);
            Console.WriteLine($"A model file of {new FileInfo(model).Length / 1e6:F1} MB; resident memory in MB.");
            Console.WriteLine("| | | at start | at most | at end | after a collection |");
            Console.WriteLine("|---|---|---|---|---|---|");
            foreach (var (what, times) in s_works)
            {
                foreach (var disposes in new[] { true, false })
                {
                    using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["--memory", what, $"{times}", $"{disposes}", model]) { RedirectStandardOutput = true })!;
                    var line = child.StandardOutput.ReadToEnd().Trim();
                    child.WaitForExit();
                    if (child.ExitCode != 0)
                        return child.ExitCode;
                    Console.WriteLine($"| {times} {what} | {(disposes ? "disposed of" : "left")} | {line} |");
                }
            }
            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Does one work in this process.</summary>
    public static int RunOne(string what, int times, bool disposes, string path)
    {
        using var model = Load(path);
        Action work = what switch
        {
            "predictions" => () =>
            {
                // An engine each time, as a service without a pool would have it; the model stays.
                var engine = Context().Model.CreatePredictionEngine<ToyImages.Input, Prediction>(model, new PredictionEngineOptions { OwnsTransformer = false });
                engine.Predict(new() { Image = ToyImages.Image(0, 1) });
                Leave(engine);
            },
            "passes" => () =>
            {
                var rows = ToyImages.View(Context(), 16);
                var scored = model.Transform(rows);
                var cursor = scored.GetRowCursor([scored.Schema["Score"]]);
                var read = cursor.GetGetter<VBuffer<float>>(scored.Schema["Score"]);
                VBuffer<float> score = default;
                while (cursor.MoveNext())
                    read(ref score);
                Leave(cursor);
            },
            "fits" => () => Leave(Fit()),
            _ => () =>
            {
                var loaded = Load(path);
                loaded.Transform(ToyImages.View(Context(), 1)).GetColumn<float[]>("Score").Count();
                Leave(loaded);
            },
        };

        for (var i = 0; i < Math.Max(2, times / 20); i++)
            work();
        Collect();
        var (start, most) = (Environment.WorkingSet, 0L);
        for (var i = 0; i < times; i++)
        {
            work();
            most = Math.Max(most, Environment.WorkingSet);
        }
        var end = Environment.WorkingSet;
        Collect();
        Console.WriteLine(string.Join(" | ", new[] { start, most, end, Environment.WorkingSet }.Select(bytes => (bytes / 1e6).ToString("F0", CultureInfo.InvariantCulture))));
        return 0;

        void Leave(IDisposable owner)
        {
            if (disposes)
                owner.Dispose();
        }
    }

    private static MLContext Context() => new(seed: 1);

    private static ImageClassifierTransformer Load(string path) => (ImageClassifierTransformer)Context().Model.Load(path, out _);

    // About a million weights.
    private static ImageClassifierTransformer Fit() => Context().Transforms.ViTClassifier(new ViTClassifierOptions
    {
        ImageSize = ToyImages.Side, PatchSize = ToyImages.Side / 4, Epochs = 1, BatchSize = 8, Device = "cpu",
    }).Fit(ToyImages.View(Context(), 16));

    private static void Collect()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
    }
}
