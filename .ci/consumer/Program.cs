using Microsoft.ML.VisionModels;

TorchRuntime.EnsureAvailable();
Console.WriteLine(string.Join(", ", TorchRuntime.Devices()));
Console.WriteLine("The package works.");
