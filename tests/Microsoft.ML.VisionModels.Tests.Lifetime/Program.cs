// Lifetime SCENARIO ...: threads ask a model for answers while others dispose of it, over and over. Ends with 0 where each call ended
// with the right answer or with ObjectDisposedException. A fault would end the process by a signal, and so each run has one of its own.
//
// Lifetime --processes 200: runs all scenarios in turn, in that many processes, and prints how these ended.
// Lifetime --memory: predicts, passes, fits and loads often, with and without Dispose, and prints what the process took.
using System.Globalization;
using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Tests.Lifetime;
using TorchSharp;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["--processes", var number])
    return Processes.Run(int.Parse(number, CultureInfo.InvariantCulture));
if (args is ["--memory"])
    return Memory.Run();
TorchRuntime.EnsureAvailable();
torch.set_num_threads(1);
if (args is ["--memory", var what, var times, var disposes, var model])
    return Memory.RunOne(what, int.Parse(times, CultureInfo.InvariantCulture), bool.Parse(disposes), model);
using var scenarios = new Scenarios();
try
{
    foreach (var name in args)
        Console.WriteLine($"{name}: {Race.Run(scenarios.Find(name), TimeSpan.FromSeconds(1))}");
    return 0;
}
catch (Exception e)     // not by a signal, which would be the fault that is looked for
{
    Console.Error.WriteLine(e);
    return 1;
}
